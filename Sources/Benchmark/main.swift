import CAllocationCount
import Node

BenchmarkTool.main(allocations: { carillon_allocation_count() })
