#include "adapters/engine/mistakes.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace flora::adapter {
namespace {

using enum Mistake;

constexpr std::array kMistakes = {
    MistakeKind{yaml_malformed, "yaml-malformed",
                "adapter.yaml is not the YAML that is read here: a slip of indentation or quotes, "
                "a key that occurs twice, an empty file, or an anchor, alias or tag. Those three "
                "are refused because a reader of the bundle must see what a rule says where it "
                "stands. Nothing else can be checked before this is right.",
                "let:\n  key: &k { from: \"@key\" }\n  same: *k",
                "let:\n  key: { from: \"@key\" }\n  same: { value: $key }"},
    MistakeKind{file_missing, "file-missing",
                "The folder has no adapter.yaml that can be read, or a file of the bundle cannot "
                "be read. A bundle is a folder with adapter.yaml, code lists (*.map.csv), fixtures "
                "and a README; name the folder, not the file.",
                "flora-gateway adapter lint adapters/de-xx-example/adapter.yaml",
                "flora-gateway adapter lint adapters/de-xx-example"},
    MistakeKind{mapping_expected, "mapping-expected",
                "Keys with values are expected at this place, and a list or a single word stands "
                "there.",
                "input: xml", "input: { format: xml }"},
    MistakeKind{list_expected, "list-expected",
                "A list is expected at this place, also if it has one entry only.", "require: $key",
                "require: [ $key ]"},
    MistakeKind{name_expected, "name-expected",
                "A name or a word of this language is expected at this place: one word, not a "
                "list, not a mapping, and not nothing.",
                "do: [ { map: [ words ] } ]", "do: [ { map: words } ]"},
    MistakeKind{text_expected, "text-expected",
                "A text is expected at this place, and a list or a mapping stands there.",
                "site: { const: [ \"Dresden\" ] }", "site: { const: \"Dresden\" }"},
    MistakeKind{unquoted_text, "unquoted-text",
                "Texts of the sender or of the event must be quoted, because YAML reads bare words "
                "as it likes: 07 is a number, NO is false, 1.10 loses its zero. The words of this "
                "language (functions, names of maps, true) need no quotes.",
                "reporter.authority: { const: 000250 }",
                "reporter.authority: { const: \"000250\" }"},
    MistakeKind{number_expected, "number-expected",
                "A whole number without quotes is expected at this place, of at most nine digits.",
                "limits: { bytes: \"1000000\" }", "limits: { bytes: 1000000 }"},
    MistakeKind{boolean_expected, "boolean-expected",
                "true or false is expected at this place, without quotes and not as yes or no.",
                "required: yes", "required: true"},
    MistakeKind{unknown_key, "unknown-key",
                "This key has no meaning at this place. It is misspelt, or stands one level too "
                "high or too low. Keys that nobody reads would be rules that silently do nothing.",
                "event:\n  foreach: \"a:person\"", "event:\n  for_each: \"a:person\""},
    MistakeKind{missing_key, "missing-key",
                "Something that must be said here is not said. The message names the key.",
                "adapter: { id: de-xx-example, version: \"1.0.0\", land: DE-SN }",
                "adapter: { id: de-xx-example, version: \"1.0.0\", land: DE-SN, title: \"…\" }"},
    MistakeKind{unknown_word, "unknown-word",
                "This key takes one of a few words, which the message names, and this is none of "
                "them.",
                "words: { file: words.map.csv, on_unmapped: ignore }",
                "words: { file: words.map.csv, on_unmapped: absent }"},
    MistakeKind{empty_list, "empty-list",
                "A list without entries decides nothing: name at least one alternative or "
                "condition, or leave the rule out.",
                "when: { all: [ ] }", "when: { all: [ { exists: \"a:day\" } ] }"},
    MistakeKind{empty_text, "empty-text",
                "An empty text would never do anything: a prefix, a separator or a joined text has "
                "at least one character.",
                "do: [ { after: \"\" } ]", "do: [ { after: \":\" } ]"},

    MistakeKind{not_normalised, "not-normalised",
                "All texts of messages are brought into the Unicode normal form C (DIN 91379) "
                "before they are compared. A text of the bundle in another form, as some editors "
                "and file systems write it, would never be equal to them. Save the file in this "
                "form.",
                "eq: \"Pru\u0308fung\"", "eq: \"Pr\u00FCfung\""},

    MistakeKind{id_malformed, "id-malformed",
                "The id of a bundle stands on every transaction that it makes and in addresses of "
                "the interface: at most 64 lower-case letters, digits and hyphens.",
                "adapter: { id: DE_XX Example, … }", "adapter: { id: de-xx-example, … }"},
    MistakeKind{version_malformed, "version-malformed",
                "The version of a bundle has three numbers and stands in quotes. Raise it with "
                "each change that changes results.",
                "version: \"1.0\"", "version: \"1.0.0\""},
    MistakeKind{unknown_land, "unknown-land",
                "The Land is written as in ISO 3166-2 (DE-BB … DE-TH), or DE for a federal "
                "authority.",
                "land: DE-SAX", "land: DE-SN"},
    MistakeKind{id_twice, "id-twice",
                "Two bundles have the same id: messages could reach either, and transactions would "
                "not tell which one made them. Give one of them another id, or leave one out.",
                "adapters/old:  adapter: { id: de-xx-example, … }\n"
                "adapters/new:  adapter: { id: de-xx-example, … }",
                "adapters/old:  adapter: { id: de-xx-example, … }\n"
                "adapters/new:  adapter: { id: de-xx-example-2, … }"},
    MistakeKind{unknown_format, "unknown-format",
                "There is no reader for this format. adapters/README.md lists those that there "
                "are; a new format is new code, not a new bundle.",
                "input: { format: yml }", "input: { format: xml }"},
    MistakeKind{limit_out_of_range, "limit-out-of-range",
                "Limits bound the memory and time that one message can take; none can be switched "
                "off. The message names the range.",
                "limits: { bytes: 0 }", "limits: { bytes: 1000000 }"},
    MistakeKind{too_many_namespaces, "too-many-namespaces",
                "A bundle knows at most 60 namespaces. Releases that differ so much are better "
                "served by a bundle each.",
                "namespaces: { a: [ \"urn:1\", … \"urn:61\" ] }",
                "namespaces: { a: [ \"urn:60\", \"urn:61\" ] }"},
    MistakeKind{unknown_charset, "unknown-charset",
                "A file of records is text in one of four character sets. Which one cannot be "
                "guessed from the bytes, so the bundle says it; a byte that is undefined there "
                "rejects its record.",
                "charset: latin1", "charset: iso-8859-1"},
    MistakeKind{csv_character, "csv-character",
                "Delimiter and quote are one character each, ASCII, and not the same one. Letters "
                "and digits would cut words. `quote: none` says that nothing is quoted.",
                "delimiter: \";;\"", "delimiter: \";\""},
    MistakeKind{csv_header, "csv-header",
                "Columns that the bundle does not name can be passed over only where a header says "
                "which ones they are.",
                "csv: { header: false, other_columns: true, … }",
                "csv: { header: true, other_columns: true, … }"},
    MistakeKind{fixed_form, "fixed-form",
                "Without line ends, a record ends after so many bytes. In UTF-8 a character has "
                "one to four bytes, so that the end of a record could not be told.",
                "charset: utf-8\nfixed: { line_ends: false, … }",
                "charset: utf-8\nfixed: { line_ends: true, … }"},
    MistakeKind{field_outside, "field-outside",
                "A field lies within the record. Characters are counted from 1, as record "
                "descriptions do.",
                "fixed: { length: 40, fields: { day: { at: 38, length: 8 } } }",
                "fixed: { length: 40, fields: { day: { at: 33, length: 8 } } }"},
    MistakeKind{share_malformed, "share-malformed",
                "The largest share of rejected items that a message may have is a whole percentage "
                "in quotes. Above it the whole message is rejected, and nothing of it is reported. "
                "Where the unit of errors is the message there is no share.",
                "errors: { max_rejected: 0.05 }", "errors: { max_rejected: \"5%\" }"},
    MistakeKind{text_outside_charset, "text-outside-charset",
                "A text that files are searched for has a character that their character set does "
                "not have: it could never be found. The character set may be another one; "
                "windows-1252 and iso-8859-15 have the euro sign, iso-8859-1 has not.",
                "charset: iso-8859-1\ncsv: { columns: [\"Betrag €\"], … }",
                "charset: iso-8859-15\ncsv: { columns: [\"Betrag €\"], … }"},
    MistakeKind{unknown_media_type, "unknown-media-type",
                "Each format is sent under its own media types: application/xml and text/xml, "
                "application/soap+xml and text/xml, application/json, text/csv, text/plain. Under "
                "another one no message would ever reach the adapter.",
                "format: csv\nmedia_type: \"text/x-csv\"", "format: csv\nmedia_type: \"text/csv\""},

    MistakeKind{unused, "unused",
                "A declaration that no rule uses is mostly a rule that was forgotten or that uses "
                "another one by mistake. Use it or remove it. A let counts as used when a rule "
                "that is itself used names it.",
                "let:\n  key: { from: \"@key\" }\n  kay: { from: \"@key2\" }\nrequire: [ $key ]",
                "let:\n  key: { from: \"@key\" }\nrequire: [ $key ]"},
    MistakeKind{unread_file, "unread-file",
                "The folder has a code list that no map reads. Its rows would change the version "
                "hash and nothing else. Name it in `maps` or remove it.",
                "words.map.csv, old-words.map.csv\nmaps: { words: { file: words.map.csv } }",
                "words.map.csv\nmaps: { words: { file: words.map.csv } }"},
    MistakeKind{unknown_map, "unknown-map", "No map of this name is declared in `maps`.",
                "maps: { words: { file: words.map.csv } }\n… do: [ { map: wrods } ]",
                "maps: { words: { file: words.map.csv } }\n… do: [ { map: words } ]"},
    MistakeKind{unknown_list, "unknown-list", "No code list of this name is declared in `lists`.",
                "{ from: \"a:grund\", code: ground }", "{ from: \"a:grund\", code: grounds }"},
    MistakeKind{unknown_let, "unknown-let",
                "No let of this name is declared here. A let of an event is known in that event "
                "only; one at the top of adapter.yaml is known everywhere.",
                "let: { key: { from: \"@key\" } }\nrequire: [ $kay ]",
                "let: { key: { from: \"@key\" } }\nrequire: [ $key ]"},
    MistakeKind{name_taken, "name-taken",
                "Another let that is known here has this name already, or it is `index`, which "
                "stands for the number of the row. Names never hide each other.",
                "let: { index: { from: \"@no\" } }", "let: { number: { from: \"@no\" } }"},
    MistakeKind{circular_reference, "circular-reference",
                "A let that needs its own value has none. Follow the names: one of them leads "
                "back.",
                "let: { a: { value: $b }, b: { value: $a } }",
                "let: { a: { value: $b }, b: { from: \"@b\" } }"},
    MistakeKind{map_file_missing, "map-file-missing",
                "The bundle has no file of this name. Code lists lie beside adapter.yaml, not in "
                "folders, and end in .map.csv.",
                "words: { file: words.csv }", "words: { file: words.map.csv }"},
    MistakeKind{
        map_head, "map-head",
        "The first line of a code list says what the columns are: source;target;comment, or "
        "source;target;valid_from;valid_to;comment.",
        "source,target\nA,ANKUNFT_AE", "source;target;comment\nA;ANKUNFT_AE;arrived"},
    MistakeKind{map_line, "map-line",
                "A line of a code list has as many parts as the first line names, parted by "
                "semicolons. Source and target must not be empty. There is no quoting.",
                "A;ANKUNFT_AE", "A;ANKUNFT_AE;"},
    MistakeKind{map_encoding, "map-encoding",
                "Code lists are UTF-8, whatever the sender's messages are. Save the file anew.",
                "a line of ISO-8859-1", "the same line in UTF-8"},
    MistakeKind{map_source_twice, "map-source-twice",
                "The same word of the sender has two meanings in one code list, on the same day. "
                "Which one it has must be decided.",
                "A;ANKUNFT_AE;\nA;WEITERLEITUNG;", "A;ANKUNFT_AE;\nB;WEITERLEITUNG;"},
    MistakeKind{map_empty, "map-empty",
                "A code list without lines maps nothing: every value would be unmapped.",
                "source;target;comment", "source;target;comment\nA;ANKUNFT_AE;arrived"},
    MistakeKind{map_target, "map-target",
                "The map goes to status, and this target is no status of the catalogue "
                "(config/statuses.yaml).",
                "A;ANKUNFT_EA;", "A;ANKUNFT_AE;"},
    MistakeKind{map_day, "map-day",
                "valid_from and valid_to are days like 2026-01-31, both inclusive; either may be "
                "empty, which means without end. The first must not be after the second.",
                "A;ANKUNFT_AE;01.01.2026;;", "A;ANKUNFT_AE;2026-01-01;;"},
    MistakeKind{
        list_kind, "list-kind",
        "XÖV code types have kinds. 1: list and version are fixed; 3: the list is fixed and "
        "the message names the version; 4: the message names both.",
        "grounds: { kind: 2, … }", "grounds: { kind: 3, … }"},
    MistakeKind{list_versions, "list-versions",
                "A code list has at least one version with its codes; one of kind 1 has exactly "
                "one, since its messages do not say which they mean.",
                "{ kind: 1, uri: \"urn:l\", versions: { \"1\": [\"01\"], \"2\": [\"01\"] } }",
                "{ kind: 1, uri: \"urn:l\", versions: { \"2\": [\"01\"] } }"},
    MistakeKind{code_twice, "code-twice",
                "A code stands twice in one version of a list, so one of them is probably meant to "
                "be another.",
                "versions: { \"1\": [\"01\", \"01\"] }", "versions: { \"1\": [\"01\", \"02\"] }"},
    MistakeKind{unknown_template, "unknown-template",
                "No template of this name is declared in `templates`.",
                "- { root: \"a:m\", use: arival }", "- { root: \"a:m\", use: arrival }"},
    MistakeKind{unknown_parameter, "unknown-parameter",
                "The template asks for $(name), and the message that uses it gives no such "
                "parameter in `with`.",
                "- { root: \"a:m\", use: arrival }",
                "- { root: \"a:m\", use: arrival, with: { list: grounds } }"},
    MistakeKind{unused_parameter, "unused-parameter",
                "The message gives the template a parameter that nothing in the template asks for.",
                "- { root: \"a:m\", use: arrival, with: { list: grounds, day: \"a:day\" } }",
                "- { root: \"a:m\", use: arrival, with: { list: grounds } }"},

    MistakeKind{place_malformed, "place-malformed",
                "This is no place in a message of this format. adapters/README.md says how places "
                "are written; XML has a/b, @c, ., /*/a, local-name() and namespace-uri(), and no "
                "more of XPath than that.",
                "from: \"//a:day\"", "from: \"/*/a:day\""},
    MistakeKind{undeclared_name, "undeclared-name",
                "The place uses a name that the bundle must declare before: a prefix is declared "
                "in `namespaces`. The prefixes of a message do not matter, only its namespaces.",
                "namespaces: { a: [\"urn:a\"] }\n… from: \"b:day\"",
                "namespaces: { a: [\"urn:a\"], b: [\"urn:b\"] }\n… from: \"b:day\""},
    MistakeKind{
        overlapping_namespaces, "overlapping-namespaces",
        "Two places have the same name, and their prefixes share a namespace but are not "
        "the same: one element would belong to both. Use one prefix for both places.",
        "namespaces: { a: [\"urn:1\", \"urn:2\"], b: [\"urn:1\"] }\n… \"a:day\" … \"b:day\"",
        "namespaces: { a: [\"urn:1\", \"urn:2\"] }\n… \"a:day\" … \"a:day\""},
    MistakeKind{repetition_place, "repetition-place",
                "for_each, each, count and pick go over something that a message repeats below its "
                "root, not over an attribute or the message itself.",
                "for_each: \".\"", "for_each: \"a:person\""},
    MistakeKind{repetition_depth, "repetition-depth",
                "Repetitions stand in each other at most three deep: for_each, something in its "
                "row, and something in that. Name the inner elements by a longer path.",
                "{ count: \"a\", where: { count: \"b\", where: { count: \"c\", where: … } } }",
                "{ count: \"a/b/c\", where: … }"},
    MistakeKind{repetition_twice, "repetition-twice",
                "Two rules repeat the same elements, seen from different rows. Write both from the "
                "same row.",
                "for_each: \"a:person\"\n… count: \"a:child\" … count: \"/*/a:person/a:child\"",
                "for_each: \"a:person\"\n… count: \"a:child\" … count: \"a:child\""},
    MistakeKind{no_coded_value, "no-coded-value",
                "A coded value is an element with a code and the name and version of its list. An "
                "attribute has none, and not every format has them; for a bare code use a map.",
                "{ from: \"@grund\", code: grounds }", "{ from: \"a:grund\", code: grounds }"},
    MistakeKind{filter_place, "filter-place",
                "[key=\"text\"] chooses one of several repeated elements or items, once in a "
                "place, and in the place of `from` only. For anything more use `pick` with a "
                "condition.",
                "for_each: \"/ids/*[art=\\\"AZR\\\"]\"",
                "value: { from: '/ids/*[art=\"AZR\"]/wert' }"},
    MistakeKind{expression_expected, "expression-expected",
                "A value is an expression: a mapping that says where it comes from, or $name for a "
                "let. A text that is always the same is { const: \"…\" }.",
                "status: ANKUNFT_AE", "status: { const: \"ANKUNFT_AE\" }"},
    MistakeKind{no_source, "no-source",
                "An expression says where its value comes from: from, const, concat, first, value, "
                "exists, absent, all, any, not, count or pick.",
                "site: { do: [ trim ] }", "site: { from: \"a:site\", do: [ trim ] }"},
    MistakeKind{several_sources, "several-sources",
                "An expression has one source. For the first that is there use `first`, to join "
                "texts use `concat`.",
                "site: { from: \"a:site\", const: \"Dresden\" }",
                "site: { first: [ { from: \"a:site\" }, { const: \"Dresden\" } ] }"},
    MistakeKind{index_outside, "index-outside",
                "$index is the number of the row of for_each. Outside of for_each there is no row.",
                "let: { id: { concat: \"${key}:${index}\" } }",
                "event:\n  for_each: \"a:person\"\n  set: { id: { concat: \"${key}:${index}\" } }"},
    MistakeKind{unclosed_reference, "unclosed-reference",
                "A reference in a text opens with ${ (a let) or $( (a parameter of a template) and "
                "is not closed.",
                "id: { concat: \"${key}:${index\" }", "id: { concat: \"${key}:${index}\" }"},
    MistakeKind{condition_expected, "condition-expected",
                "`when`, `where` and the parts of all, any and not take a condition. A value "
                "becomes one by eq, in, exists, or by the function boolean.",
                "when: { from: \"a:art\" }", "when: { from: \"a:art\", eq: \"1\" }"},
    MistakeKind{mixed_types, "mixed-types",
                "All alternatives of `first` have the same type: a day or an instant, not now this "
                "and now that.",
                "{ first: [ { from: \"a:d\", do: [date] }, { from: \"a:i\", do: [instant] } ] }",
                "occurredOn: { from: \"a:d\", do: [date] }\n"
                "occurredAt: { from: \"a:i\", do: [instant] }"},

    MistakeKind{unknown_function, "unknown-function",
                "There is no function of this name; adapters/README.md lists all.", "do: [ trimm ]",
                "do: [ trim ]"},
    MistakeKind{argument_missing, "argument-missing",
                "This function needs an argument, written as { function: argument }.",
                "do: [ after ]", "do: [ { after: \":\" } ]"},
    MistakeKind{argument_unexpected, "argument-unexpected",
                "This function takes no argument, so what stands there would do nothing.",
                "do: [ { trim: \" \" } ]", "do: [ trim ]"},
    MistakeKind{function_type, "function-type",
                "The value that reaches this function is not of the type that it takes. Functions "
                "run from left to right, each on the result of the one before.",
                "{ from: \"a:grund\", code: grounds, do: [ trim ] }",
                "{ from: \"a:grund\", code: grounds }"},
    MistakeKind{pattern_malformed, "pattern-malformed",
                "This is no regular expression of RE2 syntax. There are no back references and no "
                "look-around, since those can take for ever.",
                "do: [ { matches: \"[0-9\" } ]", "do: [ { matches: \"[0-9]+\" } ]"},
    MistakeKind{date_pattern, "date-pattern",
                "A pattern says how a day or a time is written, in letters of LDML: yyyy, M or MM, "
                "d or dd, H or HH, mm, ss, SSS, each once, and whatever stands between; letters "
                "that stand for themselves are put in single quotes. Small m is minutes. A year of "
                "two digits, yy, needs a pivot, and only that.",
                "do: [ { date: \"dd.mm.yyyy\" } ]", "do: [ { date: \"dd.MM.yyyy\" } ]"},
    MistakeKind{argument_value, "argument-value",
                "The argument has the right form, but a value with which the function would refuse "
                "every text or do nothing sensible. The message says what is expected.",
                "do: [ { part: { by: \";\", number: 0 } } ]",
                "do: [ { part: { by: \";\", number: 1 } } ]"},
    MistakeKind{time_zone, "time-zone",
                "The time zone is not in the time zone database of this machine (Debian: package "
                "tzdata), or that database does not list the changes of the clocks until 2037. "
                "Zones are named as by IANA.",
                "zone: \"MEZ\"", "zone: \"Europe/Berlin\""},
    MistakeKind{validity_day, "validity-day",
                "A code list whose lines have valid_from and valid_to is asked for a day, which a "
                "let gives that is made by `date`; one without them takes none.",
                "do: [ { map: words } ]", "do: [ { map: { list: words, on: $day } } ]"},

    MistakeKind{message_count, "message-count",
                "A bundle knows at least one kind of message, and at most 500.", "messages: [ ]",
                "messages:\n  - { root: \"a:Arrival\", … }"},
    MistakeKind{message_without_root, "message-without-root",
                "Each message is known by its root element: `root` names one, `roots` several.",
                "messages:\n  - events: [ … ]",
                "messages:\n  - root: \"a:Arrival\"\n    events: [ … ]"},
    MistakeKind{root_twice, "root-twice",
                "Two messages have the same root, so the second would never be read. Join them, "
                "with `when` at their events.",
                "messages:\n  - { root: \"a:m\", … }\n  - { root: \"a:m\", … }",
                "messages:\n  - { root: \"a:m\", events: [ { when: … }, { when: … } ] }"},
    MistakeKind{message_without_events, "message-without-events",
                "A message gives events, or is skipped without a condition: then its `skip` says "
                "why it is known and yet gives nothing.",
                "- { root: \"a:Note\" }",
                "- root: \"a:Note\"\n  skip: [ { code: \"no-canonical-status\", detail: \"…\" } ]"},
    MistakeKind{reject_without_condition, "reject-without-condition",
                "A rule of `reject` without `when` would refuse every message. A kind of message "
                "that is not wanted is left out of `messages`.",
                "reject: [ { code: \"old\", detail: \"…\" } ]",
                "reject: [ { when: { absent: \"@v\" }, code: \"old\", detail: \"…\" } ]"},
    MistakeKind{reason_code, "reason-code",
                "The code of a reason is for programs: lower-case letters, digits and hyphens.",
                "code: \"Version mismatch\"", "code: \"version-mismatch\""},
    MistakeKind{message_form, "message-form",
                "XML and SOAP messages are told apart by the name of their root element: their "
                "rules stand in `messages`. Messages of other formats are all of one kind: their "
                "rules stand in `events` at the top, with `when` where they differ.",
                "input: { format: csv, … }\nmessages: [ { events: [ … ] } ]",
                "input: { format: csv, … }\nevents: [ { when: …, set: … } ]"},
    MistakeKind{unknown_target, "unknown-target",
                "A canonical status event has no such member. adapters/README.md lists the "
                "targets; the members of its details are written details.name.",
                "occuredOn: { from: \"a:day\", do: [date] }",
                "occurredOn: { from: \"a:day\", do: [date] }"},
    MistakeKind{target_type, "target-type",
                "The value is not of the type that this target takes. A day stays a day and an "
                "instant an instant: neither is ever made from the other.",
                "occurredOn: { from: \"a:day\", do: [ trim ] }",
                "occurredOn: { from: \"a:day\", do: [ date ] }"},
    MistakeKind{open_word, "open-word",
                "This target takes words of a closed list only. A text of the sender must go "
                "through a map first, so that each word that can come out is known now. A map to "
                "status says `to: status`.",
                "status: { from: \"a:art\" }",
                "status: { from: \"a:art\", do: [ { map: words } ] }"},
    MistakeKind{unknown_value, "unknown-value",
                "This constant is not in the closed list of its target (the statuses of "
                "config/statuses.yaml, ALT or GEAS, the roles, the Länder), or has not the form "
                "that its target takes.",
                "status: { const: \"ANKUNFT\" }", "status: { const: \"ANKUNFT_AE\" }"},
    MistakeKind{missing_target, "missing-target",
                "Every event needs id, source, status and reporter.authority. What all events of "
                "the bundle share stands in `event: { set: … }`.",
                "set: { id: …, status: …, reporter.authority: … }",
                "set: { id: …, source: …, status: …, reporter.authority: … }"},
    MistakeKind{missing_time, "missing-time",
                "Every event says when it happened: the day (occurredOn) or the instant "
                "(occurredAt), as the sender gives it.",
                "set: { id: …, status: … }",
                "set: { id: …, status: …, occurredOn: { from: \"a:day\", do: [date] } }"},
    MistakeKind{missing_identifier, "missing-identifier",
                "Every event says whose procedure it is about: by identifiers, or by the pseudonym "
                "that the gateway gave.",
                "set: { id: …, status: … }",
                "set:\n  procedure.identifiers: [ { type: AZR_NUMMER, value: $azr } ]"},
    MistakeKind{unknown_detail, "unknown-detail",
                "The details of this status have no such member. The document "
                "(openapi/flora-gateway.yaml) says which details each status has.",
                "status: { const: \"ANKUNFT_AE\" }\ndetails.grund: …",
                "status: { const: \"ANKUNFT_AE\" }\ndetails.zustaendigeAE: …"},
    MistakeKind{merged_into, "merged-into",
                "mergedInto says into which procedure another was merged. It belongs to the status "
                "VERFAHREN_ZUSAMMENGEFUEHRT, and that status needs it.",
                "status: { const: \"ANKUNFT_AE\" }\nmergedInto.identifiers: [ … ]",
                "status: { const: \"VERFAHREN_ZUSAMMENGEFUEHRT\" }\nmergedInto.identifiers: [ … ]"},
    MistakeKind{missing_detail, "missing-detail",
                "The details of this status must have this member, and the event never sets it. "
                "The document (openapi/flora-gateway.yaml) says which details each status has.",
                "status: { const: \"DUBLIN_EINGELEITET\" }",
                "status: { const: \"DUBLIN_EINGELEITET\" }\n"
                "details.mitgliedstaat: { from: \"a:staat\", code: states }"},
    MistakeKind{identifier_count, "identifier-count",
                "A procedure is named by one to eight identifiers. Those that a message does not "
                "give are left out.",
                "procedure.identifiers: [ ]",
                "procedure.identifiers: [ { type: AZR_NUMMER, value: $azr } ]"},
    MistakeKind{identifier_type, "identifier-type",
                "There is no identifier of this type. The document (openapi/flora-gateway.yaml) "
                "lists them.",
                "{ type: AZR_NUMBER, value: $azr }", "{ type: AZR_NUMMER, value: $azr }"},
    MistakeKind{each_form, "each-form",
                "`each` makes a list: either of coded values, with `code`, or of any values, with "
                "`item`.",
                "details.gruende: { each: \"a:grund\" }",
                "details.gruende: { each: \"a:grund\", code: grounds }"},
};

constexpr bool by_number(const MistakeKind& a, const MistakeKind& b) {
  return a.mistake < b.mistake;
}

static_assert(std::is_sorted(kMistakes.begin(), kMistakes.end(), by_number));
static_assert(std::adjacent_find(kMistakes.begin(), kMistakes.end(),
                                 [](const MistakeKind& a, const MistakeKind& b) {
                                   return a.mistake == b.mistake;
                                 }) == kMistakes.end());

}  // namespace

std::span<const MistakeKind> mistake_kinds() { return kMistakes; }

const MistakeKind& kind_of(Mistake mistake) {
  const auto* found =
      std::find_if(kMistakes.begin(), kMistakes.end(),
                   [&](const MistakeKind& kind) { return kind.mistake == mistake; });
  if (found == kMistakes.end()) std::abort();  // A kind without an explanation: a broken invariant.
  return *found;
}

std::string number_of(Mistake mistake) {
  const std::string digits = std::to_string(static_cast<int>(mistake));
  return "A" + std::string(3 - digits.size(), '0') + digits;
}

const MistakeKind* find_mistake(std::string_view number) {
  const auto* found =
      std::find_if(kMistakes.begin(), kMistakes.end(),
                   [&](const MistakeKind& kind) { return number_of(kind.mistake) == number; });
  return found == kMistakes.end() ? nullptr : &*found;
}

}  // namespace flora::adapter
