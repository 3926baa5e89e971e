package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	callsOfARound = 3 // of each lane, begun after the round was asked for
	failuresShown = 5
	gidInBody     = "GID-00000" // becomes another text of this length for each call
	gidsOfALane   = 10_000_000
)

// Calls one after the other.
type lane struct {
	request
	Label     string `json:"label"`
	Fresh     bool   `json:"fresh"` // a new connection for each call
	TokenFile string `json:"token_file"`
	PauseMS   int    `json:"pause_ms"`

	mutex    sync.Mutex
	Calls    int            `json:"calls"`
	Failures []string       `json:"failures"`
	Servers  map[string]int `json:"servers"` // calls by the certificate that was shown
}

// Runs the lanes at the same time. For each line of stdin, every lane makes a round of calls, and
// then the lanes are printed.
func load(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var lanes []*lane
	if err := json.Unmarshal(text, &lanes); err != nil {
		return err
	}
	stop := make(chan struct{})
	var running sync.WaitGroup
	for number, l := range lanes {
		running.Add(1)
		go func(number int, l *lane) {
			defer running.Done()
			l.run(number*gidsOfALane, stop)
		}(number, l)
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		waitForRound(lanes)
		report(lanes)
	}
	close(stop)
	running.Wait()
	report(lanes)
	return nil
}

func waitForRound(lanes []*lane) {
	for _, l := range lanes {
		// One call more: the one that runs now may have read files that were replaced since.
		for until := l.count() + callsOfARound + 1; l.count() < until; {
			time.Sleep(time.Millisecond)
		}
	}
}

func report(lanes []*lane) {
	for _, l := range lanes {
		l.mutex.Lock()
		defer l.mutex.Unlock()
	}
	text, _ := json.Marshal(lanes)
	fmt.Println(string(text))
}

func (l *lane) count() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.Calls
}

func (l *lane) run(gid int, stop chan struct{}) {
	l.Servers = map[string]int{}
	body := string(l.Body)
	var c *client
	for ; ; gid++ {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(l.PauseMS) * time.Millisecond):
		}
		r := l.request
		r.Body = []byte(strings.ReplaceAll(body, gidInBody, fmt.Sprintf("%09d", gid)))
		token, err := os.ReadFile(l.TokenFile)
		if err == nil && c == nil {
			c, err = newClient(l.access)
		}
		if err != nil {
			l.note(answer{Failure: err.Error()})
			continue
		}
		r.Token = strings.TrimSpace(string(token))
		l.note(c.do(r))
		if l.Fresh {
			c.close()
			c = nil
		}
	}
}

func (l *lane) note(got answer) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.Calls++
	l.Servers[got.Server]++
	good := got.Failure == "" && (l.Front == "grpc" && got.Code == 0 || got.Code == 200)
	if !good && len(l.Failures) < failuresShown {
		l.Failures = append(l.Failures, fmt.Sprintf("call %d: %+v", l.Calls, got))
	}
}
