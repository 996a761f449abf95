// Messages with as many events as one likes, for the bundles of each format. All in them is
// invented; no item of them is rejected or skipped.
#pragma once

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace flora::adapter::many {

template <typename... Values>
void append_format(std::string& out, const char* format, Values... values) {
  char text[1024];
  const int size = std::snprintf(text, sizeof text, format, values...);
  out.append(text, static_cast<std::size_t>(size));
}

/// Of de-bb-export. Of each six records two make two events; one has quotes, two have letters
/// beyond ASCII.
inline std::string csv_file(int events) {
  constexpr const char* kStays[] = {
      "EH-2026-%d;9900%03d-475;990101%06d;999906;%02d.11.2026;;;;;\r\n",
      ("EH-2026-%d;;990202%06d;999906;%02d.11.2026;;;;;B\xFC"
       "cker, Gr\xF6\xDF"
       "e 1,80 m\r\n"),
      ("\"EH-2026-%d\";;\"990303%06d\";\"999906\";%02d.11.2026;;;;;\"zieht um; \"\"bald\"\"\r\n"
       "zweite Zeile\"\r\n"),
      "EH-2026-%d;;990404%06d;999906;%02d.11.2026;;;;;kommt mit dem Bus\r\n"};
  constexpr const char* kLeaves[] = {
      "EH-2026-%d;;990505%06d;999906;%02d.11.2026;10.12.2026;Weiterleitung;Baden-W\xFCrttemberg;"
      "090101;\r\n",
      "EH-2026-%d;;990606%06d;999906;%02d.11.2026;11.12.2026;Zuweisung;Brandenburg;120601;\r\n"};
  std::string file =
      "Vorgang;Aktenzeichen;AZR-Nummer;Beh\xF6rde;Zugang am;Abgang am;Abgangsart;Ziel-Land;"
      "Ziel-Beh\xF6rde;Bemerkung\r\n";
  int records = 0;
  for (int made = 0; made < events; ++records) {
    const int kind = made + 1 == events ? 3 : records % 6;
    if (kind == 0) {
      append_format(file, kStays[0], records, records % 1000, records, 1 + records % 30);
    } else {
      append_format(file, kind < 4 ? kStays[kind] : kLeaves[kind - 4], records, records,
                    1 + records % 30);
    }
    made += kind < 4 ? 1 : 2;
  }
  append_format(file, "SUMME;%d;;;;;;;;\r\n", records);
  return file;
}

/// Of de-sn-assist: one history, up to 4900 entries. Every tenth has a text with escapes.
inline std::string json_message(int events) {
  constexpr const char* kEntries[] = {
      R"({"lfdNr":%d,"status":"REG","um":"%02d.11.2026 09:15:00"})",
      R"({"lfdNr":%d,"status":"AVB-ANG","am":"%02d.11.2026","stufe":1})",
      R"({"lfdNr":%d,"status":"AVB-TERMIN","um":"%02d.11.2026 11:00:00","stufe":1,)"
      R"("termin":{"um":"10.12.2026 14:30"}})",
      R"({"lfdNr":%d,"status":"AVB-ENDE","am":"%02d.11.2026","stufe":2,)"
      R"("bemerkung":"Beratung in der Gr\u00fcnen Stra\u00dfe 4"})",
      R"({"lfdNr":%d,"status":"BER\u0045IT","um":"%02d.11.2026 08:00:01"})",
      R"({"lfdNr":%d,"status":"WEITER","am":"%02d.11.2026","ziel":{"land":"SN",)"
      R"("behoerde":"999904"}})",
      R"({"lfdNr":%d,"nimmtZurueck":1,"status":"REG","um":"%02d.11.2026 10:00:00"})"};
  std::string message =
      R"({"nachricht":"statushistorie","version":"2","erzeugt":"2026-12-20T08:15:00+01:00",)"
      R"("absender":{"behoerde":"999904","standort":"DD"},"vorgang":{"nummer":"LDS-2026-17",)"
      R"("kennungen":[{"art":"AZR","wert":"990101000111"},{"art":"BAMF-AZ","wert":"9912121-475"}],)"
      R"("historie":[)";
  for (int i = 0; i < events; ++i) {
    if (i > 0) message += ',';
    append_format(message, kEntries[i % 7], i + 1, 1 + i % 30);
  }
  return message + "]}}";
}

/// Of de-ni-xauslaender: one message 110202, up to 4900 persons.
inline std::string xml_message(int events) {
  std::ifstream file(std::string(FLORA_SOURCE_DIR) +
                     "/adapters/de-ni-xauslaender/fixtures/accepted/110202-three-persons.xml");
  const std::string sample{std::istreambuf_iterator<char>(file), {}};
  constexpr std::string_view kBegin = "  <xa:person>";
  constexpr std::string_view kNumber = "<xa:aZRNummer>";
  constexpr std::string_view kEnd = "</xa:person>\n";
  const std::size_t first = sample.find(kBegin);
  const std::size_t behind = sample.find(kEnd, first) + kEnd.size();
  const std::size_t last = sample.rfind(kEnd) + kEnd.size();
  const std::string person = sample.substr(first, behind - first);
  const std::size_t number = person.find(kNumber) + kNumber.size();
  std::string message = sample.substr(0, first);
  for (int i = 0; i < events; ++i) {
    message.append(person, 0, number);
    append_format(message, "990630%06d", i);
    message.append(person, number + 12);
  }
  return message + sample.substr(last);
}

inline constexpr std::string_view kFixedBundle =
    R"yaml(adapter: { id: de-xx-fixed, version: "1.0.0", land: DE-SN, title: "Fixed" }
input:
  format: fixed
  charset: windows-1252
  fixed:
    length: 72
    fields:
      Nummer: { at: 1, length: 10 }
      AZR: { at: 11, length: 12 }
      Status: { at: 23, length: 20 }
      Tag: { at: 43, length: 8 }
      Stelle: { at: 51, length: 6 }
      Ort: { at: 57, length: 16 }
maps: { words: { file: words.map.csv, to: status } }
let: { nummer: { from: "Nummer", do: [ trim, { digits: 10 } ] } }
require: [ $nummer ]
event:
  set:
    id: { concat: "${nummer}:${ort}" }
    source: { const: "fixed" }
    procedure.identifiers: [ { type: AZR_NUMMER, value: { from: "AZR", do: [ { digits: 12 } ] } } ]
    reporter.authority: { from: "Stelle", do: [ { digits: 6 } ] }
    status: { from: "Status", do: [ { map: words } ], required: true }
    occurredOn: { from: "Tag", do: [ { date: "ddMMyyyy" } ] }
  let: { ort: { from: "Ort", do: [ trim, { max_length: 16 } ] } }
events: [ { name: ankunft } ]
)yaml";

/// Writes a bundle for records of fixed length to a folder.
inline void write_fixed_bundle(const std::filesystem::path& folder) {
  std::ofstream(folder / "adapter.yaml") << kFixedBundle;
  std::ofstream(folder / "words.map.csv")
      << "source;target;comment\nAnkunft;ANKUNFT_AE;\nAktenanlage;AKTENANLAGE_ERFOLGT;\n";
}

/// Of that bundle. Every second record has letters beyond ASCII.
inline std::string fixed_file(int events) {
  std::string file;
  for (int i = 0; i < events; ++i) {
    append_format(file, "%010d990101%06d%-20s%02d112026999906%-16s\r\n", i, i,
                  i % 3 == 0 ? "Ankunft" : "Aktenanlage", 1 + i % 30,
                  i % 2 == 0 ? "G\xF6rlitz" : "Eisenberg");
  }
  return file;
}

}  // namespace flora::adapter::many
