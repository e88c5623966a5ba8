#include "job.h"

#include <thread>

namespace zeropoint_python {

void Relay::stage(std::string_view name, std::int64_t total, std::string_view unit) {
  const std::lock_guard lock(mutex_);
  events_.push_back({Event::Kind::stage, std::string(name), total, std::string(unit)});
}

void Relay::advance(std::int64_t units) {
  const std::lock_guard lock(mutex_);
  if (!events_.empty() && events_.back().kind == Event::Kind::advance) {
    events_.back().amount += units;
  } else {
    events_.push_back({Event::Kind::advance, {}, units, {}});
  }
}

void Relay::remark(std::string_view line) {
  const std::lock_guard lock(mutex_);
  events_.push_back({Event::Kind::remark, std::string(line), 0, {}});
}

void Relay::finish() {
  const std::lock_guard lock(mutex_);
  over_ = true;
  ended_.notify_all();
}

bool Relay::wait(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, most, [this] { return over_; });
}

std::vector<Relay::Event> Relay::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(events_, {});
}

namespace {

constexpr std::chrono::milliseconds kLook{50};

void show(const std::vector<Relay::Event>& events, const nb::object& shown) {
  if (shown.is_none()) return;
  for (const Relay::Event& e : events) {
    switch (e.kind) {
      case Relay::Event::Kind::stage:
        shown.attr("stage")(nb::str(e.text.c_str()), nb::int_(e.amount), nb::str(e.unit.c_str()));
        break;
      case Relay::Event::Kind::advance:
        shown.attr("advance")(nb::int_(e.amount));
        break;
      case Relay::Event::Kind::remark:
        shown.attr("remark")(nb::str(e.text.c_str()));
        break;
    }
  }
}

}  // namespace

void run_job(const std::function<void(const zeropoint::Work&)>& job, int threads,
             nb::object shown) {
  Relay relay;
  zeropoint::Cancellation cancellation;
  const zeropoint::Work work{threads, &relay, &cancellation};
  std::exception_ptr failed;
  std::thread worker([&] {
    try {
      job(work);
    } catch (...) {
      failed = std::current_exception();
    }
    relay.finish();
  });
  std::exception_ptr raised;  // by Python
  for (bool over = false; !over;) {
    {
      const nb::gil_scoped_release released;
      over = relay.wait(kLook);
    }
    if (raised) continue;
    try {
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
      show(relay.take(), shown);
    } catch (...) {
      raised = std::current_exception();
      cancellation.ask();
    }
  }
  {
    const nb::gil_scoped_release released;
    worker.join();
  }
  if (raised) std::rethrow_exception(raised);
  if (failed) std::rethrow_exception(failed);
}

namespace {

void raise(const char* kind, const zeropoint::Error& error) {
  const zeropoint::Error::Parts& parts = error.parts();
  const nb::object type = nb::module_::import_("zeropoint.errors").attr(kind);
  const nb::object value = type(error.what(), parts.where.c_str(), parts.what.c_str(),
                                parts.expected.c_str(), parts.found.c_str());
  PyErr_SetObject(type.ptr(), value.ptr());
}

}  // namespace

void translate_errors() {
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const zeropoint::UsageError& error) {
      raise("UsageError", error);
    } catch (const zeropoint::Error& error) {
      raise("Error", error);
    }
  });
}

}  // namespace zeropoint_python
