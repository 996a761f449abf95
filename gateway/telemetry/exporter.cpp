#include "gateway/telemetry/exporter.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

#include "gateway/base/log.h"
#include "gateway/telemetry/collector.h"

namespace flora::telemetry {

// The queue and the thread behind it.
class Exporter::Sender {
 public:
  Sender(ExporterOptions options, std::unique_ptr<Collector> collector, Env& env)
      : options_(std::move(options)), collector_(std::move(collector)), env_(env) {}

  void start() {
    thread_ = std::thread([this] { run(); });
  }

  void add(std::vector<Span> spans) {
    const std::lock_guard lock(mutex_);
    if (ending_ || queue_.size() + spans.size() > options_.queue) {
      counters_.dropped += spans.size();
      return;
    }
    const bool wakes = queue_.empty() || queue_.size() + spans.size() >= options_.batch;
    std::ranges::move(spans, std::back_inserter(queue_));
    if (wakes) changed_.notify_one();
  }

  void end() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
      last_ = Clock::now() + options_.last_wait;
      changed_.notify_one();
    }
    collector_->hurry(options_.last_wait);
    thread_.join();
  }

  ExporterCounters counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  using ms = ExporterOptions::ms;

  void run() {
    while (true) {
      const std::vector<Span> batch = next_batch();
      if (batch.empty()) return;
      deliver(batch);
    }
  }

  // Waits for spans and for others to go with them. Empty: it is the end.
  std::vector<Span> next_batch() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    changed_.wait_for(lock, options_.delay,
                      [this] { return ending_ || queue_.size() >= options_.batch; });
    const auto end =
        queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), options_.batch));
    std::vector<Span> batch(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    return batch;
  }

  // Until the batch is taken, rejected, or the time after the end is over.
  void deliver(const std::vector<Span>& batch) {
    const std::string body = otlp_json(options_.resource, batch);
    ms pause = options_.first_pause;
    while (true) {
      const Attempt attempt = collector_->post(body, options_.timeout);
      if (attempt.taken()) return settle(batch.size(), rejected_spans(attempt.body));
      if (!attempt.may_repeat()) {
        tell_failure(attempt);
        return settle(batch.size(), batch.size());
      }
      {
        const std::lock_guard lock(mutex_);
        ++counters_.failures;
      }
      tell_failure(attempt);
      if (!wait_after(attempt, pause)) return drop(batch.size());
      pause = std::min(2 * pause, options_.longest_pause);
    }
  }

  void settle(std::size_t spans, std::uint64_t rejected) {
    {
      const std::lock_guard lock(mutex_);
      rejected = std::min<std::uint64_t>(rejected, spans);
      counters_.rejected += rejected;
      counters_.exported += spans - rejected;
    }
    if (rejected == spans || !std::exchange(failing_, false)) return;
    log::write(log::Level::info, "telemetry: the collector takes spans again");
  }

  void drop(std::size_t spans) {
    const std::lock_guard lock(mutex_);
    counters_.dropped += spans;
  }

  // Once for each time that it begins to fail.
  void tell_failure(const Attempt& attempt) {
    if (std::exchange(failing_, true)) return;
    const log::Field status{"status", std::int64_t{attempt.status}};
    const log::Field reason{"reason", std::string_view(attempt.reason)};
    log::write(log::Level::warning, "telemetry: the collector does not take spans",
               {attempt.status == 0 ? reason : status});
  }

  // False if there is no time for another try.
  bool wait_after(const Attempt& attempt, ms pause) {
    const ms asked = std::min(attempt.retry_after.value_or(ms(0)), options_.longest_pause);
    const auto until = Clock::now() + std::max(asked, jittered(pause));
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, until, [this] { return ending_; });
    if (!ending_) return true;
    // What is left is tried once more, unless the collector asked for a longer rest.
    if (std::exchange(last_tried_, true) || until > last_) return false;
    changed_.wait_until(lock, until, [] { return false; });
    return true;
  }

  // Between half and all of it, so that gateways that failed together do not come back together.
  ms jittered(ms pause) {
    std::array<std::byte, 1> random{};
    env_.random(random);
    return pause / 2 + pause * std::to_integer<int>(random[0]) / 512;
  }

  const ExporterOptions options_;
  const std::unique_ptr<Collector> collector_;
  Env& env_;
  bool failing_ = false;     // The thread's own.
  bool last_tried_ = false;  // The thread's own.
  std::thread thread_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Span> queue_;
  ExporterCounters counters_;
  bool ending_ = false;
  Clock::time_point last_;
};

Exporter::Exporter(std::unique_ptr<Sender> sender) : sender_(std::move(sender)) {}

Exporter::~Exporter() { sender_->end(); }

Result<std::unique_ptr<Exporter>> Exporter::start(ExporterOptions options, Env& env) {
  std::unique_ptr<Collector> collector = Collector::make(options.endpoint);
  if (collector == nullptr) {
    return Error{Errc::unavailable, "the endpoint " + options.endpoint + " cannot be used"};
  }
  auto sender = std::make_unique<Sender>(std::move(options), std::move(collector), env);
  sender->start();
  return std::unique_ptr<Exporter>(new Exporter(std::move(sender)));
}

void Exporter::add(std::vector<Span> spans) { sender_->add(std::move(spans)); }

ExporterCounters Exporter::counters() const { return sender_->counters(); }

}  // namespace flora::telemetry
