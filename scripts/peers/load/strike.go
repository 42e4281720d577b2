package main

import (
	"context"
	"fmt"
	"math/rand"
	"sync"
	"syscall"
	"time"
)

const (
	writeEvery = 5 * time.Millisecond
	// An attempt that takes longer goes on with the next member.
	attemptLimit       = 250 * time.Millisecond
	pauseAfterAttempt  = 3 * time.Millisecond
	mostWritesUnderWay = 200
	// As `carillon bench failover` has them: calm before the strike, at random so that strikes don't keep step with
	// heartbeats; load after it, since the silence may not be over with the first answer; patience.
	calm     = 500 * time.Millisecond
	tail     = 300 * time.Millisecond
	patience = 30 * time.Second
)

// An attempt writes one task through one of the members.
type attempt func(limit context.Context, member int) error

// A strike kills the leader under a steady load.
type strike struct {
	members int
	attempt attempt
	// Of the leader: its process group, since some are started by a script.
	group int
}

// strikeFigures have the names that `carillon bench failover` uses.
type strikeFigures struct {
	// From the strike to the first acknowledgement of a task that was submitted after it.
	Gap float64 `json:"gapMaxMilliseconds"`
	// The longest time around the strike within which nothing was acknowledged.
	Silence float64 `json:"silenceMaxMilliseconds"`
}

type write struct{ begun, answered time.Time }

func (s strike) run() (strikeFigures, error) {
	over, end := context.WithCancel(context.Background())
	answers := make(chan write, mostWritesUnderWay)
	var writers sync.WaitGroup
	writers.Add(1)
	go func() {
		defer writers.Done()
		s.submit(over, answers, &writers)
	}()
	figures, err := s.watch(answers)
	end()
	go func() {
		writers.Wait()
		close(answers)
	}()
	for range answers {
		// So that none of the writers waits for a reader.
	}
	return figures, err
}

// submit begins a write at even times, whatever became of those before.
func (s strike) submit(over context.Context, answers chan<- write, writers *sync.WaitGroup) {
	underWay := make(chan struct{}, mostWritesUnderWay)
	ticker := time.NewTicker(writeEvery)
	defer ticker.Stop()
	for first := 0; ; first++ {
		select {
		case <-over.Done():
			return
		case <-ticker.C:
		}
		select {
		case underWay <- struct{}{}:
		default:
			continue
		}
		writers.Add(1)
		go func(member int) {
			defer writers.Done()
			defer func() { <-underWay }()
			s.writeOne(over, member, answers)
		}(first % s.members)
	}
}

// writeOne tries one member after the other until one of them has taken it.
func (s strike) writeOne(over context.Context, member int, answers chan<- write) {
	begun := time.Now()
	for ; over.Err() == nil; member = (member + 1) % s.members {
		limit, end := context.WithTimeout(over, attemptLimit)
		err := s.attempt(limit, member)
		end()
		if err == nil {
			answers <- write{begun, time.Now()}
			return
		}
		time.Sleep(pauseAfterAttempt)
	}
}

// watch strikes when the load has been acknowledged for a while, and returns a little after it is so again.
func (s strike) watch(answers <-chan write) (strikeFigures, error) {
	var (
		figures strikeFigures
		last    time.Time
		struck  time.Time
		done    <-chan time.Time
	)
	whenToStrike := time.After(patience)
	limit := time.After(2 * patience)
	for {
		select {
		case answer := <-answers:
			if last.IsZero() {
				whenToStrike = time.After(calm + time.Duration(rand.Int63n(int64(calm))))
			} else if silence := milliseconds(answer.answered.Sub(last)); !struck.IsZero() && silence > figures.Silence {
				figures.Silence = silence
			}
			last = answer.answered
			if !struck.IsZero() && done == nil && answer.begun.After(struck) {
				figures.Gap = milliseconds(answer.answered.Sub(struck))
				done = time.After(tail)
			}
		case <-whenToStrike:
			if last.IsZero() {
				return figures, fmt.Errorf("no task was acknowledged before the strike")
			}
			struck = time.Now()
			if err := syscall.Kill(-s.group, syscall.SIGKILL); err != nil {
				return figures, err
			}
		case <-done:
			return figures, nil
		case <-limit:
			return figures, fmt.Errorf("no task was acknowledged after the strike")
		}
	}
}
