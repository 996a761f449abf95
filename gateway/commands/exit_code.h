// How flora-gateway ends. README.md and config/flora-gateway.service say the same.
#pragma once

namespace flora::commands {

enum ExitCode : int {
  kDone = 0,    ///< Also of serve at SIGTERM, whatever it had to break off: nothing that it
                ///< acknowledged is lost.
  kFailed = 1,  ///< It failed, or what was looked at is not in order.
  kUsage = 2,   ///< Command line or settings are wrong; trying again does not help.
  kDisk = 3,    ///< A commit failed on the disk: nothing more was acknowledged. Start again.
  kLate = 4,    ///< Queues were not on the disk when the time to stop was over: what was
                ///< acknowledged is there, what was not answered may be there or not.
};

}  // namespace flora::commands
