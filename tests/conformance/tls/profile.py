"""Start here. What the gateway offers, after BSI TR-02102-2, in the names of sslscan and OpenSSL; all else is a
fault. gateway/http/tls_context.cpp says where it comes from.
"""

PROTOCOLS = {"tls 1.2", "tls 1.3"}
SUITES = {
    "EC": {"TLSv1.3 TLS_AES_256_GCM_SHA384", "TLSv1.3 TLS_AES_128_GCM_SHA256",
           "TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384", "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256"},
    "RSA": {"TLSv1.3 TLS_AES_256_GCM_SHA384", "TLSv1.3 TLS_AES_128_GCM_SHA256",
            "TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384", "TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256"},
}

# With a key on P-256, sslscan sees in TLS 1.2 the group of the key only.
NIST = ("secp256r1 (NIST P-256)", "secp384r1 (NIST P-384)", "secp521r1 (NIST P-521)")
BRAINPOOL = ("brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1")
GROUPS = {
    "EC": {f"TLSv1.3 {group}" for group in NIST} | {f"TLSv1.2 {NIST[0]}"},
    "RSA": {f"TLSv1.3 {group}" for group in NIST} | {f"TLSv1.2 {group}" for group in NIST + BRAINPOOL},
}

# By sslscan for TLS 1.3; by s_client, one by one, for both versions.
SIGNATURES = {
    "EC": {"ecdsa_secp256r1_sha256"},
    "RSA": {"rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"},
}

# Asked of clients, as s_client prints it.
CLIENT_SIGNATURES = {
    "ECDSA+SHA256", "ECDSA+SHA384", "ECDSA+SHA512", "RSA-PSS+SHA256", "RSA-PSS+SHA384", "RSA-PSS+SHA512",
    "rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512"}

# Options of `openssl s_client` under which no handshake may succeed. The client itself allows everything.
REFUSED = {
    "TLS 1.0": ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
    "TLS 1.1": ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
    "RSA key exchange": ["-tls1_2", "-cipher", "kRSA:@SECLEVEL=0"],
    "finite field Diffie-Hellman": ["-tls1_2", "-cipher", "kDHE:@SECLEVEL=0"],
    "CBC": ["-tls1_2", "-cipher", "ECDHE+AES+SHA1:ECDHE+AES+SHA256:ECDHE+AES+SHA384:@SECLEVEL=0"],
    "CCM": ["-tls1_2", "-cipher", "AESCCM:AESCCM8:@SECLEVEL=0"],
    "ChaCha20 in TLS 1.2": ["-tls1_2", "-cipher", "CHACHA20:@SECLEVEL=0"],
    "ChaCha20 in TLS 1.3": ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
    "CCM in TLS 1.3": ["-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"],
    "no authentication": ["-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"],
    "no encryption": ["-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"],
    "X25519 in TLS 1.3": ["-tls1_3", "-groups", "X25519"],
    "X25519 in TLS 1.2": ["-tls1_2", "-groups", "X25519"],
    "X448": ["-groups", "X448"],
    "ffdhe": ["-tls1_3", "-groups", "ffdhe2048:ffdhe3072:ffdhe4096"],
    "other curves": ["-tls1_2", "-cipher", "ALL:@SECLEVEL=0", "-groups", "secp224r1:secp256k1:sect283r1"],
    "SHA-1": ["-tls1_2", "-cipher", "ALL:@SECLEVEL=0", "-sigalgs", "RSA+SHA1:ECDSA+SHA1"],
    "SHA-224": ["-tls1_2", "-cipher", "ALL:@SECLEVEL=0", "-sigalgs", "RSA+SHA224:ECDSA+SHA224"],
    "RSA PKCS #1 v1.5": ["-tls1_2", "-sigalgs", "RSA+SHA256:RSA+SHA384:RSA+SHA512"],
}

# Options under which one must, so that a refusal above is one of the server and not of the client.
TAKEN = {
    "TLS 1.2": ["-tls1_2"],
    "TLS 1.3": ["-tls1_3"],
    "everything allowed": ["-cipher", "ALL:@SECLEVEL=0"],
    "P-384 alone": ["-tls1_3", "-groups", "P-384"],
    "P-521 alone": ["-tls1_3", "-groups", "P-521"],
}

# Checks of testssl.sh, with a key of kind EC: those that must end with OK, and what it must see.
SOUND = {
    "SSLv2", "SSLv3", "TLS1_2", "TLS1_3", "cipherlist_NULL", "cipherlist_aNULL", "cipherlist_EXPORT",
    "cipherlist_LOW", "cipherlist_STRONG", "PFS", "heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_renego",
    "secure_client_renego", "CRIME_TLS", "POODLE_SSL", "SWEET32", "FREAK", "DROWN", "LOGJAM", "BEAST", "LUCKY13",
    "RC4"}
SUITE_NUMBERS = {"c02b", "c02c", "1301", "1302"}
CURVES = {"prime256v1", "secp384r1", "secp521r1"}
