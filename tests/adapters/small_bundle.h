// A bundle of a few lines, and a message for each of its outcomes.
#pragma once

namespace flora::adapter {

inline constexpr const char* kSmallBundle =
    R"yaml(adapter: { id: de-xx-small, version: "1.0.0", land: DE-SN, title: "Small" }
input: { format: xml }
let:
  key: { from: "key", do: [ trim, uuid ] }
skip:
  - { when: { exists: "note" }, code: "is-a-note", detail: "A note carries no status." }
messages:
  - root: "m"
    events:
      - for_each: "item"
        set:
          id: { concat: "${key}:${index}" }
          source: { const: "small" }
          status: { const: "ANKUNFT_AE" }
          occurredOn: { from: "day", do: [ trim, { date: "dd.MM.yyyy" } ] }
          procedure.identifiers: [ { type: AZR_NUMMER, value: { from: "@azr" } } ]
          reporter.authority: { const: "000250" }
)yaml";

inline constexpr const char* kAcceptedMessage =
    "<m>\n <key>9E8D7C6B-5A49-4001-8ABC-000000000001</key>\n"
    " <item azr='990101000001'><day> 09.11.2026 </day></item>\n</m>\n";

inline constexpr const char* kRejectedMessage =
    "<m>\n <key>9e8d7c6b-5a49-4001-8abc-000000000002</key>\n"
    " <item azr='990101000001'><day>9.11.2026</day></item>\n</m>\n";

inline constexpr const char* kSkippedMessage =
    "<m>\n <key>9e8d7c6b-5a49-4001-8abc-000000000003</key>\n <note/>\n</m>\n";

}  // namespace flora::adapter
