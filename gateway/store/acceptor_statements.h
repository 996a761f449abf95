// What the acceptor asks of the database and writes to it. Only acceptor.cpp includes it.
#pragma once

#include <memory>

#include "gateway/base/result.h"
#include "gateway/base/sql.h"
#include "gateway/store/acceptor.h"

namespace flora::store {

struct Acceptor::Statements {
  sql::Statement submission_by_identity;
  sql::Statement submission_by_id;
  sql::Statement procedure_by_pseudonym;
  sql::Statement procedure_by_number;
  sql::Statement procedures_of_identifier;
  sql::Statement has_identifier;
  sql::Statement wrapped_key;
  sql::Statement queued;
  sql::Statement insert_procedure;
  sql::Statement insert_identifier;
  sql::Statement insert_submission;
  sql::Statement fill_submission;
  sql::Statement insert_outbox;
  sql::Statement narrow_reservation;
  sql::Statement update_key;
  sql::Statement last_outbox;
  sql::Statement set_channels;

  /// Errors: what the database reports.
  static Result<std::unique_ptr<Statements>> open(sql::Database& db);
};

}  // namespace flora::store
