struct HistogramPart {
    static func measure(_ meter: inout PartMeter) {
        var nanoseconds: UInt64 = 1_000
        var metric = Histogram()
        meter.measure("recorded for /metrics") {
            nanoseconds = (nanoseconds &* 5) & 0xFFF_FFFF
            metric.record(nanoseconds: nanoseconds)
            return Int(truncatingIfNeeded: metric.count)
        }
        var latencies = LatencyHistogram()
        meter.measure("recorded by the load generator") {
            nanoseconds = (nanoseconds &* 5) & 0xFFF_FFFF
            latencies.record(nanoseconds)
            return Int(truncatingIfNeeded: latencies.count)
        }
    }
}
