package main

import (
	"database/sql"
	"fmt"
	"net"

	"github.com/dtm-labs/client/dtmcli"
)

// Serves the branches, over whichever protocol they are called.
type participant struct {
	bank  bank
	holds *holds
}

// A call of a branch. `xa` is the SDK's local part of XA over the protocol of the call.
type call struct {
	barrier *dtmcli.BranchBarrier
	order   order
	xa      func(dtmcli.DBConf, func(*sql.DB) error) error
}

// The local transaction of a message, under the message's barrier.
type localAction func(*dtmcli.BranchBarrier) error

// Points: `<branch id>:<op>:arrived` before anything is done, `...:done` before the answer. Every
// call is printed twice: when it arrives, and when it is answered.
func (p *participant) handle(c *call) error {
	name := c.barrier.BranchID + ":" + c.barrier.Op
	fmt.Printf("called %s %s\n", c.barrier.Gid, name)
	p.holds.reach(name + ":arrived")
	err := p.perform(c)
	p.holds.reach(name + ":done")
	fmt.Printf("answered %s %s: %s\n", c.barrier.Gid, name, text(err))
	return err
}

func (p *participant) perform(c *call) error {
	if c.order.Refuse && (c.barrier.Op == "action" || c.barrier.Op == "try") {
		return fmt.Errorf("refused: %w", dtmcli.ErrFailure)
	}
	switch c.barrier.TransType {
	case "xa":
		return p.bank.(*sqlBank).xa(c)
	case "msg":
		if c.barrier.Op == "msg" {
			return p.bank.queryPrepared(c.barrier)
		}
	}
	return p.bank.adjust(c.barrier, c.barrier.Op, c.order)
}

// Points: `local:begin` before the local transaction, `local:open` within a local transaction of
// SQL.
func (p *participant) local(o order) localAction {
	return func(barrier *dtmcli.BranchBarrier) error {
		p.holds.reach("local:begin")
		if sqlBank, ok := p.bank.(*sqlBank); ok {
			return barrier.CallWithDB(sqlBank.db, func(tx *sql.Tx) error {
				err := sqlBank.change(tx, "action", o)
				p.holds.reach("local:open")
				return err
			})
		}
		return p.bank.adjust(barrier, "action", o)
	}
}

// Serves in the background on an address that a test chose.
func listen(address string, serve func(net.Listener) error) {
	listener, err := net.Listen("tcp", address)
	exitOn(err)
	go serve(listener)
}
