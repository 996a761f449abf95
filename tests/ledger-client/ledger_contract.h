// What each Ledger must do, as tests that run against any of them.
#pragma once

#include <functional>
#include <memory>

#include "ledger-client/ledger.h"

namespace flora::test {

/// Makes an empty ledger; each call an independent one.
using MakeLedger = std::function<std::unique_ptr<Ledger>()>;

/// Runs the whole suite within a doctest test case.
void check_ledger_contract(const MakeLedger& make);

}  // namespace flora::test
