import RunnerHub

/// One overview for all who read at about the same time: however many there are, the store is asked at most once a pace.
///
/// Who asks while it is being read waits for that reading. A failure is told to those who wait for it, and not kept.
actor OverviewCache {
  typealias Reading = @Sendable (_ rows: Int) async throws(StoreError) -> Overview

  /// Rows that are read, so that a few readings serve every wish: a wish takes the first of the smallest that is enough.
  private static let sizes = [200, 1_000]

  private struct Kept {
    var overview: Overview
    /// When its reading began.
    var since: ContinuousClock.Instant
  }
  private typealias Answer = CheckedContinuation<Result<Overview, StoreError>, Never>

  private let pace: Duration
  private let now: @Sendable () -> ContinuousClock.Instant
  private var kept: [Int: Kept] = [:]
  /// Who waits, by the size that is being read.
  private var waiting: [Int: [Answer]] = [:]

  /// - Parameters:
  ///   - pace: how old an overview is told, counted from when its reading began.
  ///   - now: a clock that only goes forward.
  init(pace: Duration, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
    self.pace = pace
    self.now = now
  }

  /// - Parameters:
  ///   - limit: rows of jobs, at most 1,000.
  ///   - read: reads an overview with at most so many rows of jobs, newest first.
  func overview(jobs limit: Int, read: Reading) async throws(StoreError) -> Overview {
    let size = Self.sizes.first { $0 >= limit } ?? Self.sizes[Self.sizes.count - 1]
    var overview = try await overview(size: size, read)
    overview.jobs = Array(overview.jobs.prefix(max(0, limit)))
    return overview
  }

  private func overview(size: Int, _ read: Reading) async throws(StoreError) -> Overview {
    let began = now()
    if let kept = kept[size], kept.since.duration(to: began) < pace { return kept.overview }
    if waiting[size] != nil {
      let result: Result<Overview, StoreError> = await withCheckedContinuation { waiting[size]?.append($0) }
      return try result.get()
    }
    waiting[size] = []
    let result: Result<Overview, StoreError>
    do throws(StoreError) {
      let overview = try await read(size)
      kept[size] = Kept(overview: overview, since: began)
      result = .success(overview)
    } catch {
      result = .failure(error)
    }
    for answer in waiting.removeValue(forKey: size) ?? [] { answer.resume(returning: result) }
    return try result.get()
  }
}
