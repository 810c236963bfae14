import Testing

@testable import RunnerHub

@Suite("Places for starts")
struct StartPlacesTests {
  @Test("an engine's limit holds for what it has to make, and the limit of all for everything")
  func limits() {
    var places = StartPlaces(all: 4, byMaker: ["docker": 1])
    let (cold, warm, other) = (StartPlaces.Start(maker: "docker"), StartPlaces.Start(maker: nil), StartPlaces.Start(maker: "process"))
    #expect(places.isFree(for: cold))
    places.take(cold)
    #expect(!places.isFree(for: cold))
    for start in [warm, other, other] {
      #expect(places.isFree(for: start))
      places.take(start)
    }
    for start in [cold, warm, other] { #expect(!places.isFree(for: start)) }
  }
}
