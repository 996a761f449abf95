#include "gateway/store/acceptor_statements.h"

#include <string>
#include <string_view>
#include <utility>

namespace flora::store {

Result<std::unique_ptr<Acceptor::Statements>> Acceptor::Statements::open(sql::Database& db) {
  constexpr std::string_view kSubmission =
      "SELECT n, transaction_id, authority, procedure, content, native, status, refers, lookup_key "
      "FROM submission WHERE ";
  FLORA_ASSIGN(auto by_identity, db.prepare(std::string(kSubmission) + "identity=?"));
  FLORA_ASSIGN(auto by_id, db.prepare(std::string(kSubmission) + "transaction_id=?"));
  FLORA_ASSIGN(auto by_pseudonym, db.prepare("SELECT n FROM procedure WHERE pseudonym=?"));
  FLORA_ASSIGN(auto by_number,
               db.prepare("SELECT pseudonym, merged_into, channels FROM procedure WHERE n=?"));
  FLORA_ASSIGN(auto of_identifier, db.prepare("SELECT procedure FROM identifier WHERE hash=?"));
  FLORA_ASSIGN(auto has_identifier,
               db.prepare("SELECT 1 FROM identifier WHERE hash=? AND procedure=?"));
  FLORA_ASSIGN(auto wrapped_key,
               db.prepare("SELECT pseudonym, wrapping_key, wrapped FROM procedure WHERE n=?"));
  FLORA_ASSIGN(auto queued, db.prepare("SELECT n, body, nonce, coalesce(failed, ''), channels "
                                       "FROM outbox WHERE transaction_id=?"));
  FLORA_ASSIGN(auto insert_procedure,
               db.prepare("INSERT INTO procedure(pseudonym, wrapping_key, wrapped) VALUES(?,?,?) "
                          "RETURNING n"));
  FLORA_ASSIGN(auto insert_identifier,
               db.prepare("INSERT INTO identifier(hash, procedure, type, value, lookup_key) "
                          "VALUES(?,?,?,?,?) ON CONFLICT DO NOTHING"));
  FLORA_ASSIGN(auto insert_submission,
               db.prepare("INSERT INTO submission(identity, content, native, lookup_key, sealed, "
                          "status, refers, transaction_id, authority, procedure) "
                          "VALUES(?,?,?,?,?,?,?,?,?,?)"));
  FLORA_ASSIGN(auto fill_submission,
               db.prepare("UPDATE submission SET identity=?, content=?, native=?, lookup_key=?, "
                          "sealed=?, status=?, refers=? WHERE n=?"));
  FLORA_ASSIGN(auto insert_outbox,
               db.prepare("INSERT INTO outbox(n, transaction_id, body, nonce, channels) "
                          "VALUES(?,?,?,?,?)"));
  FLORA_ASSIGN(auto narrow_reservation, db.prepare("UPDATE submission SET status=? WHERE n=?"));
  FLORA_ASSIGN(auto update_key,
               db.prepare("UPDATE procedure SET wrapping_key=?, wrapped=? WHERE n=?"));
  FLORA_ASSIGN(auto set_channels, db.prepare("UPDATE procedure SET channels=? WHERE n=?"));
  FLORA_ASSIGN(auto last_outbox, db.prepare("SELECT n, body FROM outbox ORDER BY n DESC LIMIT 1"));
  return std::make_unique<Statements>(Statements{
      std::move(by_identity), std::move(by_id), std::move(by_pseudonym), std::move(by_number),
      std::move(of_identifier), std::move(has_identifier), std::move(wrapped_key),
      std::move(queued), std::move(insert_procedure), std::move(insert_identifier),
      std::move(insert_submission), std::move(fill_submission), std::move(insert_outbox),
      std::move(narrow_reservation), std::move(update_key), std::move(last_outbox),
      std::move(set_channels)});
}

}  // namespace flora::store
