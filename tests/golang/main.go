// Command ledgercheck verifies receipts, checkpoints, tiles and entry bundles of an embedded ledger
// with implementations that are not the gateway's: golang.org/x/mod/sumdb/note and tlog, and the
// merkle and formats modules of transparency-dev.
//
// Its argument is a folder of files that tests/ledger-client/export_ledger.cpp writes:
//
//	vkey              the verifier key
//	checkpoint-<i>    checkpoints in the order in which they were published
//	body-<n>          the text of entry n, and
//	proof-<n>         its receipt, for some n
//	tile/…            what the log serves below tile/
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	f_log "github.com/transparency-dev/formats/log"
	f_proof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: ledgercheck <folder>")
		os.Exit(2)
	}
	if err := check(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "ledgercheck:", err)
		os.Exit(1)
	}
}

func check(folder string) error {
	vkey, err := os.ReadFile(filepath.Join(folder, "vkey"))
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(vkey)))
	if err != nil {
		return fmt.Errorf("verifier key: %w", err)
	}
	receipts, err := checkReceipts(folder, verifier)
	if err != nil {
		return err
	}
	last, checkpoints, err := checkCheckpoints(folder, verifier)
	if err != nil {
		return err
	}
	entries, err := checkBundles(folder, last)
	if err != nil {
		return err
	}
	if receipts == 0 || checkpoints < 2 || uint64(entries) != last.Size {
		return fmt.Errorf("too little to check: %d receipts, %d checkpoints, %d of %d entries",
			receipts, checkpoints, entries, last.Size)
	}
	fmt.Printf("verified %d receipts, %d checkpoints, %d entries\n", receipts, checkpoints, entries)
	return nil
}

// parseCheckpoint verifies a checkpoint's signature under the log's own name.
func parseCheckpoint(text []byte, verifier note.Verifier) (*f_log.Checkpoint, error) {
	checkpoint, _, _, err := f_log.ParseCheckpoint(text, verifier.Name(), verifier)
	return checkpoint, err
}

// checkReceipts verifies each receipt with nothing but its text and the key, and that a changed text
// is refused.
func checkReceipts(folder string, verifier note.Verifier) (int, error) {
	names, err := filepath.Glob(filepath.Join(folder, "proof-*"))
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return 0, err
		}
		body, err := os.ReadFile(strings.Replace(name, "proof-", "body-", 1))
		if err != nil {
			return 0, err
		}
		if err := checkReceipt(text, body, verifier); err != nil {
			return 0, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		if checkReceipt(text, append(body, ' '), verifier) == nil {
			return 0, fmt.Errorf("%s: a changed text is accepted", filepath.Base(name))
		}
	}
	return len(names), nil
}

func checkReceipt(text, body []byte, verifier note.Verifier) error {
	var receipt f_proof.TLogProof
	if err := receipt.Unmarshal(text); err != nil {
		return err
	}
	if !bytes.Equal(receipt.Marshal(), text) {
		return fmt.Errorf("the proof is not written canonically")
	}
	checkpoint, err := parseCheckpoint(receipt.Checkpoint, verifier)
	if err != nil {
		return err
	}
	var hashes [][]byte
	for i := range receipt.Hashes {
		hashes = append(hashes, receipt.Hashes[i][:])
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(body)
	return proof.VerifyInclusion(rfc6962.DefaultHasher, receipt.Index, checkpoint.Size, leaf, hashes,
		checkpoint.Hash)
}

// checkCheckpoints verifies each signature, and that each tree extends the one before: the proofs are
// computed from the published tiles, which are authenticated against the last checkpoint.
func checkCheckpoints(folder string, verifier note.Verifier) (*f_log.Checkpoint, int, error) {
	var all []*f_log.Checkpoint
	for {
		text, err := os.ReadFile(filepath.Join(folder, fmt.Sprintf("checkpoint-%d", len(all))))
		if os.IsNotExist(err) {
			break
		} else if err != nil {
			return nil, 0, err
		}
		checkpoint, err := parseCheckpoint(text, verifier)
		if err != nil {
			return nil, 0, fmt.Errorf("checkpoint %d: %w", len(all), err)
		}
		all = append(all, checkpoint)
	}
	if len(all) == 0 {
		return nil, 0, fmt.Errorf("no checkpoints")
	}
	last := all[len(all)-1]
	reader := tileReader(folder, last)
	for _, old := range all[:len(all)-1] {
		if old.Size == 0 {
			continue
		}
		if err := checkConsistency(old, last, reader); err != nil {
			return nil, 0, fmt.Errorf("from %d to %d: %w", old.Size, last.Size, err)
		}
	}
	return last, len(all), nil
}

func checkConsistency(old, last *f_log.Checkpoint, reader tlog.HashReader) error {
	tree, err := tlog.ProveTree(int64(last.Size), int64(old.Size), reader)
	if err != nil {
		return err
	}
	var hashes [][]byte
	for i := range tree {
		hashes = append(hashes, tree[i][:])
	}
	return proof.VerifyConsistency(rfc6962.DefaultHasher, old.Size, last.Size, hashes, old.Hash,
		last.Hash)
}

// checkBundles hashes each entry of the entry bundles and compares with the authenticated tiles.
func checkBundles(folder string, last *f_log.Checkpoint) (int, error) {
	reader := tileReader(folder, last)
	entries := 0
	for n := uint64(0); n*256 < last.Size; n++ {
		width := min(256, last.Size-n*256)
		text, err := os.ReadFile(filepath.Join(folder, "tile", "entries", indexPath(n, width)))
		if err != nil {
			return 0, err
		}
		for ; len(text) >= 2; entries++ {
			size := int(binary.BigEndian.Uint16(text))
			if len(text) < 2+size {
				return 0, fmt.Errorf("bundle %d ends within an entry", n)
			}
			index := tlog.StoredHashIndex(0, int64(entries))
			stored, err := reader.ReadHashes([]int64{index})
			if err != nil {
				return 0, err
			}
			if tlog.RecordHash(text[2:2+size]) != stored[0] {
				return 0, fmt.Errorf("entry %d is not that of its tile", entries)
			}
			text = text[2+size:]
		}
	}
	return entries, nil
}

// indexPath writes a tile index as tlog-tiles says; the bundles have no implementation elsewhere.
func indexPath(n, width uint64) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if width < 256 {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}

func tileReader(folder string, checkpoint *f_log.Checkpoint) tlog.HashReader {
	var root tlog.Hash
	copy(root[:], checkpoint.Hash)
	tree := tlog.Tree{N: int64(checkpoint.Size), Hash: root}
	return tlog.TileHashReader(tree, &folderTiles{folder})
}

// folderTiles reads tiles of height 8 from files. It implements tlog.TileReader.
type folderTiles struct{ folder string }

func (t *folderTiles) Height() int { return 8 }

func (t *folderTiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		// tile.Path() is tile/<height>/<level>/<n>; tlog-tiles has no height in its paths.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.folder, path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (t *folderTiles) SaveTiles([]tlog.Tile, [][]byte) {}
