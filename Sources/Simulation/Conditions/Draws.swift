import Foundation

/// Chances that are asked for by name and number. The same question has the same answer whatever was asked before it, so that two policies
/// meet the same luck: the same job is lost, the same container starts late.
package struct Draws: Hashable, Sendable {
  package let seed: UInt64
  package init(seed: UInt64) { self.seed = seed }

  /// What a chance is of.
  package enum Stream: UInt64, Sendable {
    case delivery = 1
    case containerStart, containerFailure, registration, connection, runnerLoss, jobLoss, momentOfLoss, runnerEnd, recycling, removal
    case handOut, retry, price
  }

  /// 0..<1.
  package func unit(_ stream: Stream, _ number: Int, _ turn: Int = 0) -> Double {
    var mixer = SplitMix64(state: seed &+ stream.rawValue &* 0xD1B5_4A32_D192_ED03)
    mixer.state ^= UInt64(bitPattern: Int64(number)) &* 0x9E37_79B9_7F4A_7C15
    mixer.state ^= (mixer.next() >> 1) &+ UInt64(bitPattern: Int64(turn)) &* 0xBF58_476D_1CE4_E5B9
    return mixer.unit()
  }

  package func happens(_ probability: Double, _ stream: Stream, _ number: Int, _ turn: Int = 0) -> Bool {
    probability > 0 && unit(stream, number, turn) < probability
  }

  package func sample(_ distribution: Distribution, _ stream: Stream, _ number: Int, _ turn: Int = 0) -> Double {
    // The second of the two chances comes from a turn that nobody asks for.
    distribution.value(unit(stream, number, turn), unit(stream, number, turn ^ 0x4000_0000))
  }
}

/// A small generator for sequences: the same on every machine (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
package struct SplitMix64: RandomNumberGenerator, Sendable {
  package var state: UInt64
  package init(state: UInt64) { self.state = state }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// 0..<1.
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  package mutating func sample(_ distribution: Distribution) -> Double { distribution.value(unit(), unit()) }
}

/// How a time or a size is spread. Never negative.
package enum Distribution: Hashable, Sendable, Codable, CustomStringConvertible {
  case constant(Double)
  case uniform(from: Double, to: Double)
  case exponential(mean: Double)
  case logNormal(median: Double, sigma: Double)

  /// - Parameters: two independent chances, 0..<1.
  func value(_ first: Double, _ second: Double) -> Double {
    switch self {
    case .constant(let value): max(0, value)
    case .uniform(let from, let to): max(0, from + (to - from) * first)
    case .exponential(let mean): max(0, -log(1 - first) * mean)
    // Box and Muller's normal, from two chances.
    case .logNormal(let median, let sigma): max(0, median * exp(sigma * (-2 * log(1 - first)).squareRoot() * cos(2 * .pi * second)))
    }
  }

  package var description: String {
    switch self {
    case .constant(let value): "\(value)"
    case .uniform(let from, let to): "uniform \(from)…\(to)"
    case .exponential(let mean): "exponential, mean \(mean)"
    case .logNormal(let median, let sigma): "log-normal, median \(median), σ \(sigma)"
    }
  }
}
