package import Foundation

/// A provider as a process of this machine, held in the same bounds as a plugin: all that it starts ends with it or with its time.
package struct ProviderProcess: ProviderExecution {
  private let program: PluginProgram
  private let limits: ProviderLimits

  private enum Ending: Sendable {
    case ran(PluginRun)
    case unstartable(String)
    case unwanted
  }

  /// - Parameter program: its environment is not used; each call has its own.
  package init(_ program: PluginProgram, limits: ProviderLimits = ProviderLimits()) {
    self.program = program
    self.limits = limits
  }

  package func run(
    environment: [String: String], input: Data, limit: Duration, isUnwanted: @escaping @Sendable () -> Bool
  ) async -> ProviderOutcome {
    var program = program
    program.environment = environment
    program.hasOnlyItsEnvironment = true
    let call = program
    let output = limits.output
    return await withTaskGroup(of: Ending?.self) { group in
      group.addTask {
        do throws(PluginError) {
          return .ran(try await PluginRun.run(call, input: input, limit: limit, outputLimit: output))
        } catch {
          return .unstartable("\(error)")
        }
      }
      group.addTask {
        while !isUnwanted() {
          // Cancelled: the call has ended first.
          do { try await Task.sleep(for: .milliseconds(100)) } catch { return nil }
        }
        return .unwanted
      }
      var isGivenUp = Task.isCancelled
      var outcome = ProviderOutcome(.unwanted)
      while let ending = await group.next() {
        group.cancelAll()
        switch ending {
        case .unwanted: isGivenUp = true
        case .ran(let run): outcome = self.outcome(run, isGivenUp: isGivenUp || Task.isCancelled)
        case .unstartable(let why): outcome.end = .notStarted(why)
        case nil: continue
        }
      }
      return outcome
    }
  }

  private func outcome(_ run: PluginRun, isGivenUp: Bool) -> ProviderOutcome {
    var outcome = ProviderOutcome(isGivenUp ? .unwanted : .overdue)
    if let code = run.exitCode {
      outcome.end = .exited(code)
    } else if let status = run.status {
      outcome.end = .signalled(status & 0x7f)
    }
    outcome.output = run.output
    outcome.isOutputCut = run.isCut && run.output.count >= limits.output
    outcome.errors = PluginText.line(String(decoding: run.error.suffix(limits.errors), as: UTF8.self), limit: limits.errors)
    return outcome
  }
}
