// The JSON forms of what became of an event.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "gateway/api/call.h"
#include "gateway/api/json_writer.h"
#include "gateway/intake/intake.h"
#include "gateway/view/history.h"
#include "ledger-client/ledger.h"

namespace flora::api {

/// `Receipt` of the document.
void write_receipt(JsonWriter& json, const Uuid& transaction_id, const Receipt& receipt,
                   const std::vector<std::string>& verifier_keys);

/// The problem with which a transaction stands that the ledger has refused for good.
Problem refused_by_ledger(std::string_view reason);

/// `Submission` or `TestResult` of the document; not for refused answers.
void write_submission(JsonWriter& json, const intake::Answer& answer,
                      const std::vector<std::string>& verifier_keys);

/// `ItemResult` of the document.
void write_item(JsonWriter& json, std::size_t item, const intake::Answer& answer,
                const std::vector<std::string>& verifier_keys);

/// `HistoryEntry` of the document.
void write_entry(JsonWriter& json, const view::HistoryEntry& entry, const Uuid& procedure);

/// For Submission::reached: makes each stage a phase of the request; empty if phases are of no use.
std::function<void(intake::Stage)> stages_of(const Reply& reply);

/// `Issue` of the document, as a cause of a problem.
ProblemCause cause_of(const adapter::Issue& issue);

}  // namespace flora::api
