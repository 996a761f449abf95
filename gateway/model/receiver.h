// To whom an entry hands its procedure over.
#pragma once

#include <string>

#include "gateway/model/transaction.h"

namespace flora {

/// Land and authority; empty if the entry hands nothing over.
struct Receiver {
  std::string land;
  std::string authority;
};
Receiver receiver_of(const Transaction& transaction);

}  // namespace flora
