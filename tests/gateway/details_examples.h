// Valid details of every status, for tests: at least one of each form that its schema allows.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace flora {

inline std::string coded(const std::string& list, const std::string& version,
                         const std::string& code) {
  return R"({"code":")" + code + R"(","list":"urn:xoev-de:xauslaender:codeliste:)" + list +
         R"(","version":")" + version + R"("})";
}

/// Canonical JSON (RFC 8785); an empty text stands for no details.
inline const std::map<std::string, std::vector<std::string>>& details_examples() {
  static const std::vector<std::string> none = {""};
  static const std::vector<std::string> handover = {
      R"({"empfaengerBehoerde":"999905","empfaengerLand":"DE-BB"})"};
  static const std::vector<std::string> counselling = {R"({"stufe":1})", R"({"stufe":2})"};
  static const std::vector<std::string> appointment = {
      R"({"terminAm":"2026-11-20"})", R"({"terminUm":"2026-11-20T09:30:00.000Z"})"};
  static const std::vector<std::string> not_held = {
      R"({"grund":"NICHT_ERSCHIENEN"})", R"({"grund":"ERKRANKT"})", R"({"grund":"SONSTIGER"})"};
  static const std::map<std::string, std::vector<std::string>> all = {
      {"REGISTRIERUNG_ABGESCHLOSSEN", none},
      {"EASY_ABVERTEILUNG", handover},
      {"WEITERLEITUNG", handover},
      {"ANKUNFT_AE", {"", R"({"zustaendigeAE":true})", R"({"zustaendigeAE":false})"}},
      {"NICHT_ERSCHIENEN_AE",
       {"", R"({"asylgesuch":true})", R"({"asylgesuch":false,"verteilungErfolgt":true})"}},
      {"VERSPAETET_ERSCHIENEN_AE", none},
      {"ID_CHECK_ABGESCHLOSSEN", none},
      {"AVB_ANGEBOTEN", counselling},
      {"AVB_TERMIN_GEPLANT",
       {R"({"stufe":1})", R"({"stufe":1,"terminAm":"2026-11-20"})",
        R"({"stufe":2,"terminUm":"2026-11-20T09:30:00+01:00"})"}},
      {"AVB_ABGESCHLOSSEN", counselling},
      {"BEREIT_FUER_AKTENANLAGE", none},
      {"AKTENANLAGE_TERMIN_GEPLANT", appointment},
      {"AKTENANLAGE_TERMIN_STORNIERT", none},
      {"AKTENANLAGE_ERFOLGT", none},
      {"AKTENANLAGE_NICHT_ERFOLGT", not_held},
      {"ANHOERUNG_TERMIN_GEPLANT", appointment},
      {"ANHOERUNG_TERMIN_STORNIERT", none},
      {"ANHOERUNG_ERFOLGT", none},
      {"ANHOERUNG_NICHT_ERFOLGT", not_held},
      {"ANHOERUNG_ERLEDIGT", none},
      {"ZUWEISUNG_KOMMUNE", handover},
      {"ANKUNFT_KOMMUNE", none},
      {"DUBLIN_EINGELEITET",
       {R"({"mitgliedstaat":)" + coded("asyl.dublinpartnerstaaten", "2.1", "124") + "}",
        R"({"mitgliedstaat":)" + coded("geas.zbvpartnerstaat", "1", "161") + "}"}},
      {"DUBLIN_MODALITAETEN", {R"({"fristende":"2026-12-31","rueckmeldefrist":"2026-12-01"})"}},
      {"DUBLIN_BEENDET",
       {R"({"gruende":[)" + coded("asyl.grundbeendigungdublinverfahren", "1.2", "01") + "]}",
        R"({"gruende":[)" + coded("geas.zbvgrundbeendigung", "1", "02") + "," +
            coded("geas.zbvgrundbeendigung", "1", "15") + "]}"}},
      {"BESCHEID_ERLASSEN",
       {R"({"entscheidung":)" + coded("asyl.entscheidungssachverhalt", "1", "13") + "}",
        R"({"entscheidung":)" + coded("geas.asylentscheidungssachverhalt", "1", "99") + "}",
        R"({"entscheidung":)" + coded("geas.zbventscheidungssachverhalt", "1", "01") + "}"}},
      {"BESCHEID_ZUGESTELLT", {R"({"bescheidVom":"2026-10-30"})"}},
      {"KLAGE_EINGEGANGEN", {"", R"({"verfristet":true})"}},
      {"EILANTRAG_EINGEGANGEN",
       {R"({"antrag":"P80_5"})", R"({"antrag":"P80_7"})", R"({"antrag":"P123"})"}},
      {"RECHTSKRAFT",
       {R"({"bescheidVom":"2026-10-30","sachverhalte":[)" +
            coded("asyl:abschlusssachverhalt", "3.1", "05a") + "]}",
        R"({"bescheidVom":"2026-10-30","sachverhalte":[)" +
            coded("geas.asylabschlusssachverhalt", "1", "57") + "]}"}},
      {"TEILRECHTSKRAFT",
       {R"({"bescheidVom":"2026-10-30","sachverhalte":[)" +
            coded("asyl:teilabschlusssachverhalt", "3.1", "19b") + "]}",
        R"({"bescheidVom":"2026-10-30","sachverhalte":[)" +
            coded("geas.teilabschlusssachverhalt", "1", "02") + "]}"}},
      {"RECHTSKRAFT_AUFGEHOBEN", {R"({"mitteilungVom":"2026-10-30"})"}},
      {"RUECKNAHME",
       {"", R"({"grund":)" + coded("asyl.ruecknahmegrund", "3", "03") + "}",
        R"({"grund":)" + coded("geas.ruecknahmegrund", "1", "98") + "}"}},
      {"EINSTELLUNG", {R"({"grund":)" + coded("asyl.einstellungsgrund", "2", "01") + "}"}},
      {"AUFENTHALTSTITEL_ERTEILT", none},
      {"UEBERSTELLUNG_TERMIN",
       {R"({"terminAm":"2026-12-01"})", R"({"ankunftszeit":"09:30","terminAm":"2026-12-01"})"}},
      {"UEBERSTELLUNG_ERFOLGT", none},
      {"UEBERSTELLUNG_GESCHEITERT",
       {R"({"grund":)" + coded("asyl.grundgescheiterteueberstellung", "1.1", "14") + "}",
        R"({"grund":)" + coded("geas.grundgescheiterteueberstellung", "1", "15") + "}"}},
      {"AUSREISE_VOLLZOGEN",
       {R"({"art":"ABGESCHOBEN"})", R"({"art":"FREIWILLIG_NACHGEWIESEN"})",
        R"({"art":"FREIWILLIG_VERMUTET"})"}},
      {"FORTZUG_UNBEKANNT", none},
      {"DATEN_BERICHTIGT",
       {R"({"anlass":)" + coded("asyl.datenberichtigungsanlass", "1", "01") + "}",
        R"({"anlass":)" + coded("geas.uebermittlungsanlassdatenpruefung", "1", "06") + "}"}},
      {"VERFAHREN_ZUSAMMENGEFUEHRT", none},
  };
  return all;
}

}  // namespace flora
