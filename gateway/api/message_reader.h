// Takes a large request body into a buffer, as it arrives.
#pragma once

#include <functional>
#include <variant>

#include "gateway/api/message_buffer.h"
#include "gateway/base/env.h"
#include "gateway/http/responder.h"
#include "gateway/model/problem.h"

namespace flora::api {

/// Calls `done` once, on a worker thread, with the body or with the problem that refuses it:
/// content-too-large (it does not fit into the buffer), temporary-reduced-capacity (the memory is
/// used up), request-timeout (it comes so slowly that it holds its memory for too long). If the
/// client goes away, `done` is dropped without a call.
void read_message(http::BodyReader body, MessageBuffer buffer, Env& env,
                  std::function<void(std::variant<MessageBuffer, Problem>)> done);

}  // namespace flora::api
