package main

import (
	"fmt"
	"sort"
	"sync"
	"syscall"
	"time"
)

// After a refusal a caller waits: a server that refuses everything at once is not to be measured by that.
const pauseAfterError = 5 * time.Millisecond

// A closedLoop has every caller ask again as soon as it has its answer.
type closedLoop struct {
	callers         []request
	tasksPerRequest int
	warmup          time.Duration
	measured        time.Duration
}

// figures have the names that `carillon bench submit` uses.
type figures struct {
	TasksPerSecond float64 `json:"tasksPerSecond"`
	P50            float64 `json:"latencyP50Milliseconds"`
	P99            float64 `json:"latencyP99Milliseconds"`
	P999           float64 `json:"latencyP999Milliseconds"`
	CPUShare       float64 `json:"generatorCPUShare"`
	// By kind, as there; of requests within the measured time and before it.
	Errors map[string]int64 `json:"errors"`
}

func (load closedLoop) run() (figures, error) {
	var (
		callersDone sync.WaitGroup
		lock        sync.Mutex
		latencies   []time.Duration
		errors      = map[string]int64{}
	)
	begin := time.Now().Add(load.warmup)
	end := begin.Add(load.measured)
	for _, caller := range load.callers {
		callersDone.Add(1)
		go func(ask request) {
			defer callersDone.Done()
			own := make([]time.Duration, 0, 4096)
			for asked := time.Now(); asked.Before(end); {
				err := ask()
				answered := time.Now()
				if err != nil {
					lock.Lock()
					errors[err.Error()]++
					lock.Unlock()
					time.Sleep(pauseAfterError)
					answered = time.Now()
				} else if answered.After(begin) && !answered.After(end) {
					own = append(own, answered.Sub(asked))
				}
				asked = answered
			}
			lock.Lock()
			latencies = append(latencies, own...)
			lock.Unlock()
		}(caller)
	}
	time.Sleep(time.Until(begin))
	before := processorTime()
	time.Sleep(time.Until(end))
	taken := processorTime() - before
	callersDone.Wait()
	if len(latencies) == 0 {
		return figures{}, fmt.Errorf("nothing was acknowledged: %v", errors)
	}
	sort.Slice(latencies, func(i, j int) bool { return latencies[i] < latencies[j] })
	return figures{
		TasksPerSecond: float64(len(latencies)*load.tasksPerRequest) / load.measured.Seconds(),
		P50:            milliseconds(quantile(latencies, 0.5)),
		P99:            milliseconds(quantile(latencies, 0.99)),
		P999:           milliseconds(quantile(latencies, 0.999)),
		CPUShare:       taken.Seconds() / load.measured.Seconds(),
		Errors:         errors,
	}, nil
}

func quantile(sorted []time.Duration, share float64) time.Duration {
	place := int(share * float64(len(sorted)))
	if place >= len(sorted) {
		place = len(sorted) - 1
	}
	return sorted[place]
}

func milliseconds(span time.Duration) float64 { return span.Seconds() * 1000 }

// What this process has taken of the processors so far.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
