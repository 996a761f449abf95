#include "gateway/api/report_texts.h"

#include <array>

namespace flora::api {
namespace {

constexpr ReportText kFound = {
    "RESULT",
    "Zu dieser Kennung ist in FLORA mindestens ein Verfahren gespeichert. Eine Aktennummer des "
    "BAMF "
    "kann für mehrere Personen einer Familie stehen: Vor der Auskunft ist zu prüfen, welches "
    "Verfahren "
    "zu der Person gehört, die gefragt hat.",
    "At least one procedure is stored in FLORA for this identifier. A file number of the BAMF may "
    "stand for several persons of a family: before anything is told it must be checked which "
    "procedure belongs to the person who has asked."};

constexpr ReportText kNothing = {
    "RESULT",
    "Zu dieser Kennung ist in FLORA nichts gespeichert, worüber diese Behörde Auskunft geben kann. "
    "Über Verfahren anderer Behörden geben diese Auskunft, über alle das BAMF.",
    "Nothing is stored in FLORA for this identifier about which this authority can inform. Other "
    "authorities inform about their procedures, the BAMF about all."};

constexpr std::array kTexts = {
    ReportText{
        "MAPPING",
        "Kennungen, wie die AZR-Nummer, stehen nur in einer geschützten Zuordnung, "
        "verschlüsselt. Sie führt von der Kennung zu einer Zufallsnummer (Pseudonym) des "
        "Verfahrens. Genannt sind nur die Arten der Kennungen, nicht ihre Werte: Diese stehen in "
        "der Akte der Behörde. Hat das Register mehrere Kanäle, so ist dort auch verzeichnet, auf "
        "welchen das Verfahren steht.",
        "Identifiers, such as the AZR number, stand only in a protected mapping, encrypted. It "
        "leads from the identifier to a random number (pseudonym) of the procedure. Named are the "
        "kinds of identifiers only, not their values: these stand in the authority's file. If the "
        "ledger has several channels, it is noted there, too, which of them hold the procedure."},
    ReportText{
        "SUBMISSIONS",
        "Jede Meldung einer Behörde ist mit ihrer Vorgangsnummer verzeichnet. Damit eine "
        "wiederholte Meldung erkannt wird, sind dazu Prüfsummen gespeichert, aus denen sich der "
        "Inhalt nicht ablesen lässt.",
        "Each report of an authority is listed with its transaction id. So that a repeated report "
        "is recognised, checksums are stored with it from which its content cannot be read."},
    ReportText{
        "OUTBOX",
        "Angenommene Meldungen warten hier, bis sie im Register (Ledger) stehen, meist weniger "
        "als eine Sekunde. Danach werden sie hier gelöscht.",
        "Accepted reports wait here until they stand on the ledger, mostly for less than a "
        "second. Then they are deleted here."},
    ReportText{
        "KEPT_ANSWERS",
        "Antworten an die meldende Software werden für kurze Zeit aufbewahrt, damit sie nach "
        "einer Störung wiederholt werden können. Sie enthalten keine Kennung.",
        "Answers to the reporting software are kept for a short time, so that they can be "
        "repeated after a disturbance. They hold no identifier."},
    ReportText{
        "READ_MODEL",
        "Ein Verzeichnis sagt, welche Einträge des Ledgers zu einem Verfahren gehören. Es wird "
        "aus dem Ledger abgeleitet und enthält sonst nichts.",
        "An index says which entries of the ledger belong to a procedure. It is derived from the "
        "ledger and holds nothing else."},
    ReportText{
        "LEDGER",
        "Das Ledger ist das gemeinsame Register der Behörden. Es enthält Statusmeldungen unter "
        "dem Pseudonym, ohne Namen und ohne Kennungen. Ein Eintrag wird nie geändert; eine "
        "Berichtigung ist ein weiterer Eintrag. Genannt sind die Einträge, die diese Behörde "
        "einsehen darf.",
        "The ledger is the authorities' common register. It holds status reports under the "
        "pseudonym, without names and without identifiers. An entry is never changed; a "
        "rectification is a further entry. Listed are the entries that this authority may see."},
    ReportText{
        "ADAPTERS",
        "Diese Übersetzungsprogramme haben Meldungen aus dem Format der Software einer Behörde "
        "übertragen. Sie speichern nichts über Personen.",
        "These adapters have translated reports from the format of an authority's software. They "
        "store nothing about persons."},
    ReportText{
        "AUDIT",
        "Jeder Zugriff wird protokolliert: wer (welche Software für welche Behörde), wann, was, "
        "mit welchem Ergebnis. Gibt es ein Feld „next“, folgen weitere Einträge "
        "(/v1/audit/records).",
        "Each access is recorded: who (which software for which authority), when, what, with which "
        "result. If there is a member “next”, more records follow (/v1/audit/records)."},
    ReportText{
        "RIGHTS",
        "Sie können Berichtigung, Löschung oder Einschränkung verlangen, der Verarbeitung "
        "widersprechen und sich bei einer Aufsichtsbehörde für den Datenschutz beschweren. Wenden "
        "Sie sich dazu an die Behörde, die gemeldet hat, oder an das BAMF.",
        "You may ask for rectification, erasure or restriction, object to the processing, and "
        "complain to a data protection supervisory authority. Turn to the authority that has "
        "reported, or to the BAMF."},
};

struct Words {
  std::string_view one;
  std::string_view many;
};

// By unit.
constexpr std::array<Words, 4> kGerman = {
    {{"Jahr", "Jahre"}, {"Monat", "Monate"}, {"Tag", "Tage"}, {"Sekunde", "Sekunden"}}};
constexpr std::array<Words, 4> kEnglish = {
    {{"year", "years"}, {"month", "months"}, {"day", "days"}, {"second", "seconds"}}};

std::string in_words(const Period& period, const std::array<Words, 4>& words) {
  const Words& unit = words.at(static_cast<std::size_t>(period.unit));
  return std::to_string(period.count) + ' ' + std::string(period.count == 1 ? unit.one : unit.many);
}

}  // namespace

RetentionText retention_text(const RetentionPeriods& periods) {
  RetentionText text;
  if (periods.mapping) {
    text.de = "Die Frist für die Zuordnung beträgt " + in_words(*periods.mapping, kGerman) +
              " und beginnt, wenn das Verfahren unanfechtbar abgeschlossen und dies gemeldet ist "
              "(§ 7 Abs. 3 AsylG: höchstens zehn Jahre). Danach wird die Zuordnung gelöscht; auf "
              "Anordnung früher. ";
    text.en =
        "The mapping is kept for " + in_words(*periods.mapping, kEnglish) +
        ", which begin when the procedure has ended with final effect and this is reported "
        "(§ 7 (3) AsylG: ten years at most). Then it is erased; earlier, if that is ordered. ";
  } else {
    text.de = "Die Zuordnung bleibt, bis ihre Löschung angeordnet wird. ";
    text.en = "The mapping stays until its erasure is ordered. ";
  }
  text.de +=
      "Nach der Löschung kann kein Eintrag des Ledgers mehr einer Person zugeordnet werden, "
      "auch nicht von den Behörden; die Einträge selbst bleiben. Für Sicherungskopien der "
      "Zuordnung beträgt die Frist " +
      in_words(periods.copies, kGerman) +
      "; aus ihnen wird nichts wiederhergestellt, was gelöscht ist. Protokolle werden am "
      "Ende des Jahres gelöscht, das auf ihre Entstehung folgt (§ 76 Abs. 4 BDSG), wenn "
      "keine andere Frist eingestellt ist.";
  text.en +=
      "After the erasure no entry of the ledger can be attributed to a person any more, by no "
      "authority; the entries themselves stay. Backups of the mapping expire after " +
      in_words(periods.copies, kEnglish) +
      "; nothing that is erased is restored from them. Audit records are deleted at the end "
      "of the year that follows their own (§ 76 (4) BDSG), unless another period is "
      "configured.";
  return text;
}

const ReportText& report_result(bool anything) { return anything ? kFound : kNothing; }

std::span<const ReportText> report_texts() { return kTexts; }

}  // namespace flora::api
