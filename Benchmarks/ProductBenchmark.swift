// Matrix products: own kernels beside OpenBLAS, in turn.
import ArgumentParser
import ImagePipeline
import TensorCore

struct ProductBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "products",
        abstract: "GFLOP/s of x · weightᵀ with bfloat16 weights, own kernels and OpenBLAS in turn.")

    @OptionGroup var options: CommonOptions

    func run() {
        let sizes =
            options.smoke
            ? [(64, 192, 192)]
            : [
                (1056, 3840, 3840), (1056, 10240, 3840), (256, 3840, 3840), (64, 9728, 2560),
                (96, 512, 192), (96, 192, 192), (1, 15360, 256),
            ]
        let pool = ThreadPool(threadCount: options.threads)
        let blas = EagerOperations(pool: pool, products: .openBLAS)
        let own = EagerOperations(pool: pool)
        print(row(["rows x outputs x inputs", own.kernelFamily, blas.kernelFamily, "ratio"]))
        print(row(["---", "---", "---", "---"]))
        var random = TorchGenerator(seed: 1)
        var hash = SHA256()
        for (rows, outputs, inputs) in sizes {
            let x = Tensor(random.normals(rows * inputs), shape: [rows, inputs])
            let weight = Tensor(random.normals(outputs * inputs), shape: [outputs, inputs])
                .converted(to: .bfloat16)
            let work = 2e-9 * Double(rows * outputs * inputs)
            let repetitions = max(5, min(200, Int(20 / work)))
            var (ownSeconds, blasSeconds) = ([Double](), [Double]())
            for _ in 0..<repetitions {
                ownSeconds.append(seconds { _ = own.linear(x, weight: weight) })
                blasSeconds.append(seconds { _ = blas.linear(x, weight: weight) })
            }
            hash.update(own.linear(x, weight: weight).elements.flatMap {
                withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init)
            })
            let (a, b) = (median(ownSeconds), median(blasSeconds))
            print(
                row([
                    "\(rows) x \(outputs) x \(inputs)", format(work / a, 1), format(work / b, 1),
                    format(b / a, 2),
                ]))
        }
        print("result \(hash.finalize())")
    }
}
