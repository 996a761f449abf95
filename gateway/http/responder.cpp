#include "gateway/http/responder.h"

#include <utility>

namespace flora::http {

ResponseWriter& ResponseWriter::operator=(ResponseWriter&& other) noexcept {
  std::swap(exchange_, other.exchange_);
  return *this;
}

ResponseWriter::~ResponseWriter() {
  if (exchange_) exchange_->abort();
}

void ResponseWriter::write(std::string bytes, std::function<void(bool)> ready) {
  if (exchange_) exchange_->write(std::move(bytes), std::move(ready));
}

void ResponseWriter::finish() {
  if (const auto exchange = std::exchange(exchange_, nullptr)) exchange->finish();
}

Responder& Responder::operator=(Responder&& other) noexcept {
  std::swap(exchange_, other.exchange_);
  return *this;
}

Responder::~Responder() {
  if (exchange_) exchange_->fail();
}

void Responder::respond(Response response) {
  if (const auto exchange = std::exchange(exchange_, nullptr)) {
    exchange->respond(std::move(response));
  }
}

ResponseWriter Responder::stream(int status, std::vector<Header> headers) {
  auto exchange = std::exchange(exchange_, nullptr);
  if (exchange) exchange->begin(status, std::move(headers));
  return ResponseWriter(std::move(exchange));
}

BodyReader& BodyReader::operator=(BodyReader&& other) noexcept {
  std::swap(exchange_, other.exchange_);
  return *this;
}

BodyReader::~BodyReader() {
  if (exchange_) exchange_->ignore_body();
}

void BodyReader::read(std::function<void(BodyChunk)> done) {
  if (exchange_) exchange_->read(std::move(done));
}

}  // namespace flora::http
