// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
    name: "carillon",
    products: [
        .executable(name: "carillon", targets: ["carillon"]),
        .executable(name: "Simulator", targets: ["Simulator"]),
        .executable(name: "Benchmark", targets: ["Benchmark"]),
        .library(name: "Raft", targets: ["Raft"]),
        .library(name: "CarillonWorker", targets: ["CarillonWorker"]),
    ],
    targets: [
        // The two pure cores import nothing; Tests/NodeTests/Structure checks it.
        .target(name: "Raft", swiftSettings: strict),
        .target(name: "Scheduler", swiftSettings: strict),
        .systemLibrary(name: "CLinux"),
        // For Benchmark alone: whoever is linked with it has another `malloc`.
        .target(name: "CAllocationCount"),
        .target(
            name: "Node", dependencies: ["Raft", "Scheduler", "CLinux"], swiftSettings: strict),
        .executableTarget(name: "carillon", dependencies: ["Node"], swiftSettings: strict),
        .executableTarget(
            name: "Simulator", dependencies: ["Raft", "Scheduler", "Node"], swiftSettings: strict),
        .executableTarget(
            name: "Benchmark", dependencies: ["Node", "CAllocationCount"], swiftSettings: strict),
        // What other programs run tasks with, and one that does.
        .target(name: "CarillonWorker", dependencies: ["Node"], swiftSettings: strict),
        .executableTarget(
            name: "swift-worker", dependencies: ["CarillonWorker"], path: "examples/swift-worker",
            swiftSettings: strict),
        .testTarget(
            name: "RaftTests", dependencies: ["Raft"], exclude: ["Transcripts"],
            swiftSettings: strict),
        .testTarget(name: "SchedulerTests", dependencies: ["Scheduler"], swiftSettings: strict),
        .testTarget(
            name: "NodeTests", dependencies: ["Node", "Raft", "Scheduler", "CLinux"],
            exclude: ["Time/cron-cases.txt"], swiftSettings: strict),
        .testTarget(
            name: "SimulatorTests", dependencies: ["Simulator", "Node", "Raft"],
            swiftSettings: strict),
        .testTarget(name: "ProcessTests", dependencies: ["Node"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
