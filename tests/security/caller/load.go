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
)

// Calls one after the other. GID in the body is another one for each call.
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
	for _, l := range lanes {
		running.Add(1)
		go func(l *lane) {
			defer running.Done()
			l.run(stop)
		}(l)
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

func (l *lane) run(stop chan struct{}) {
	l.Servers = map[string]int{}
	body := string(l.Body)
	var c *client
	for number := 0; ; number++ {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(l.PauseMS) * time.Millisecond):
		}
		r := l.request
		r.Body = []byte(strings.ReplaceAll(body, "GID", fmt.Sprintf("%s-%06d", l.Label, number)))
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
