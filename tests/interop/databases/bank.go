package main

import (
	"fmt"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/go-redis/redis/v8"
)

type bank interface {
	// Changes an account as a branch with this op must, under the branch's barrier.
	adjust(barrier *dtmcli.BranchBarrier, op string, o order) error
	queryPrepared(barrier *dtmcli.BranchBarrier) error
}

func openBank(driver string, port int64) (bank, error) {
	if driver == "redis" {
		address := fmt.Sprintf("127.0.0.1:%d", port)
		return &redisBank{redis.NewClient(&redis.Options{Addr: address})}, nil
	}
	return openSQLBank(driver, port)
}

const barrierExpiryS = 86400

// An account is a key with its balance.
type redisBank struct {
	client *redis.Client
}

func (b *redisBank) adjust(barrier *dtmcli.BranchBarrier, op string, o order) error {
	amount := redisAmount(op, o.Amount)
	return barrier.RedisCheckAdjustAmount(b.client, o.Account, amount, barrierExpiryS)
}

func (b *redisBank) queryPrepared(barrier *dtmcli.BranchBarrier) error {
	return barrier.RedisQueryPrepared(b.client, barrierExpiryS)
}

// A TCC takes money off the account at try, which cancel gives back, and puts money in at confirm.
func redisAmount(op string, amount int) int {
	out := amount < 0
	switch {
	case op == "action", op == "try" && out, op == "confirm" && !out:
		return amount
	case op == "compensate", op == "cancel" && out:
		return -amount
	}
	return 0
}
