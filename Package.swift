// swift-tools-version: 6.1
import PackageDescription

/// The targets and what each may import; `docs/architecture.md` explains the table, and
/// `--explicit-target-dependency-import-check error` enforces it in every make target.
let package = Package(
    name: "Turbine",
    products: [
        .executable(name: "turbine", targets: ["turbine"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    ],
    targets: [
        // System libraries.
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CPNG", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "CProtobufC", providers: [.apt(["libprotobuf-c-dev"])]),

        // The engine.
        .target(name: "CKernels"),
        .target(name: "TensorCore", dependencies: ["CKernels", "COpenBLAS"]),
        .target(name: "NeuralLayers", dependencies: ["TensorCore"]),
        .target(name: "Checkpoints", dependencies: ["TensorCore"]),
        .target(name: "Tokenizers"),
        .target(
            name: "ZImageModel",
            dependencies: ["TensorCore", "NeuralLayers", "Checkpoints", "Tokenizers"]),
        .target(
            name: "ImagePipeline",
            dependencies: ["TensorCore", "NeuralLayers", "Checkpoints", "ZImageModel", "CPNG"]),

        // The trainer.
        .target(name: "Autodiff", dependencies: ["CKernels", "TensorCore"]),
        .target(
            name: "Distillation",
            dependencies: [
                "Autodiff", "TensorCore", "NeuralLayers", "Checkpoints", "Tokenizers",
                "ZImageModel", "ImagePipeline",
            ]),

        // The service.
        .target(name: "CTurbineProto", dependencies: ["CProtobufC"]),
        .target(name: "WireProtocol", dependencies: ["CTurbineProto", "CProtobufC"]),
        .target(name: "ZeroMQSockets", dependencies: ["CZeroMQ"]),
        .target(name: "QueueCore"),
        .target(
            name: "JobStore",
            dependencies: ["QueueCore", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(
            name: "BrokerService",
            dependencies: ["QueueCore", "JobStore", "WireProtocol", "ZeroMQSockets"]),
        .target(
            name: "StatusHTTP",
            dependencies: ["QueueCore", .product(name: "Hummingbird", package: "hummingbird")]),
        .target(name: "WorkerService", dependencies: ["WireProtocol", "ZeroMQSockets"]),
        .target(name: "TurbineClient", dependencies: ["WireProtocol", "ZeroMQSockets"]),

        // The command line: the only place where engine and service meet.
        .executableTarget(
            name: "turbine",
            dependencies: [
                "TensorCore", "Checkpoints", "Tokenizers", "ZImageModel", "ImagePipeline",
                "Autodiff", "Distillation", "QueueCore", "JobStore", "BrokerService", "StatusHTTP",
                "WireProtocol",
                "ZeroMQSockets", "WorkerService", "TurbineClient",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .executableTarget(
            name: "turbine-benchmarks",
            dependencies: [
                "TensorCore", "ZImageModel", "ImagePipeline",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks", exclude: ["reference", "service"]),
        .executableTarget(
            name: "turbine-service-benchmarks",
            dependencies: [
                "QueueCore", "BrokerService", "WireProtocol", "ZeroMQSockets", "CZeroMQ",
                "WorkerService",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/service"),

        // Tests.
        .target(
            name: "TestSupport", dependencies: ["TensorCore", "Checkpoints"],
            path: "Tests/Support"),
        .testTarget(
            name: "TensorCoreTests", dependencies: ["TensorCore", "CKernels", "TestSupport"]),
        .testTarget(
            name: "CheckpointsTests", dependencies: ["Checkpoints", "TensorCore", "TestSupport"]),
        .testTarget(
            name: "TokenizersTests", dependencies: ["Tokenizers", "TestSupport"],
            exclude: ["Golden", "Scripts"]),
        .testTarget(
            name: "ZImageModelTests",
            dependencies: [
                "ZImageModel", "Checkpoints", "Tokenizers", "NeuralLayers", "TensorCore",
                "TestSupport",
            ]),
        .testTarget(
            name: "ImagePipelineTests",
            dependencies: [
                "ImagePipeline", "ZImageModel", "Checkpoints", "TensorCore", "TestSupport",
            ]),
        .testTarget(name: "JobStoreTests", dependencies: ["JobStore", "QueueCore"]),
        .testTarget(
            name: "BrokerServiceTests",
            dependencies: [
                "BrokerService", "JobStore", "QueueCore", "WireProtocol", "ZeroMQSockets",
                "TestSupport",
            ]),
        .testTarget(
            name: "AutodiffTests",
            dependencies: [
                "Autodiff", "TensorCore", "NeuralLayers", "Checkpoints", "ZImageModel",
                "TestSupport",
            ]),
        .testTarget(
            name: "DistillationTests",
            dependencies: [
                "Distillation", "Autodiff", "TensorCore", "Checkpoints", "Tokenizers",
                "ImagePipeline", "TestSupport",
            ],
            exclude: ["Scripts"]),
        .testTarget(
            name: "StatusHTTPTests", dependencies: ["StatusHTTP", "QueueCore"],
            exclude: ["Scripts"]),
        .testTarget(
            name: "turbineTests",
            dependencies: [
                "turbine", "BrokerService", "ImagePipeline", "JobStore", "QueueCore",
                "StatusHTTP", "TurbineClient", "WireProtocol", "WorkerService",
            ]),
        .testTarget(
            name: "WorkerServiceTests",
            dependencies: ["WorkerService", "WireProtocol", "ZeroMQSockets"]),
        .testTarget(
            name: "TurbineClientTests",
            dependencies: ["TurbineClient", "WireProtocol", "ZeroMQSockets"]),
        .testTarget(name: "QueueCoreTests", dependencies: ["QueueCore"]),
        .testTarget(name: "WireProtocolTests", dependencies: ["WireProtocol", "TestSupport"]),
        .testTarget(name: "ZeroMQSocketsTests", dependencies: ["ZeroMQSockets"]),
        .testTarget(name: "CommandLineTests", dependencies: ["TestSupport"]),
        .testTarget(
            name: "EndToEndTests", dependencies: ["TestSupport", "turbine"],
            exclude: ["Scripts"]),
        .testTarget(name: "DeployTests", dependencies: ["turbine"], exclude: ["Scripts"]),
        .testTarget(name: "RepositoryTests", dependencies: ["TestSupport"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu11
)
