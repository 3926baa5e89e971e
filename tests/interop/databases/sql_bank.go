package main

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmcli/dtmimp"
	_ "github.com/go-sql-driver/mysql"
	_ "github.com/lib/pq"
)

const sessionEndTimeout = 5 * time.Second

// Accounts are rows. Each has a balance, and what running TCC transactions add to it.
type sqlBank struct {
	conf dtmcli.DBConf
	db   *sql.DB
}

func openSQLBank(driver string, port int64) (*sqlBank, error) {
	user := map[string]string{"mysql": "root", "postgres": "postgres"}[driver]
	if user == "" {
		return nil, fmt.Errorf("unknown driver %q", driver)
	}
	dtmcli.SetCurrentDBType(driver)
	conf := dtmcli.DBConf{Driver: driver, Host: "127.0.0.1", Port: port, User: user, Db: "bank",
		Schema: "public"}
	if driver == "postgres" {
		conf.Password = "any" // without a password the SDK writes a text that the driver misreads
	}
	db, err := dtmimp.PooledDB(conf)
	return &sqlBank{conf, db}, err
}

func (b *sqlBank) adjust(barrier *dtmcli.BranchBarrier, op string, o order) error {
	return barrier.CallWithDB(b.db, func(tx *sql.Tx) error { return b.change(tx, op, o) })
}

func (b *sqlBank) queryPrepared(barrier *dtmcli.BranchBarrier) error {
	return barrier.QueryPrepared(b.db)
}

// FAILURE if there is no such account, or not enough money in it.
func (b *sqlBank) change(db dtmcli.DB, op string, o order) error {
	balance, trading := changes(op, o.Amount)
	affected, err := dtmimp.DBExec(b.conf.Driver, db,
		"update account set balance = balance + ?, trading = trading + ? "+
			"where name = ? and balance + trading + ? >= 0",
		balance, trading, o.Account, balance+trading)
	if err == nil && affected == 0 {
		return fmt.Errorf("%s cannot change by %d: %w", o.Account, o.Amount, dtmcli.ErrFailure)
	}
	return err
}

func changes(op string, amount int) (balance, trading int) {
	switch op {
	case "try":
		return 0, amount
	case "confirm":
		return amount, -amount
	case "cancel":
		return 0, -amount
	case "compensate", "rollback":
		return -amount, 0
	}
	return amount, 0
}

func (b *sqlBank) xa(c *call) error {
	session := int64(0)
	err := c.xa(b.conf, func(db *sql.DB) error { return b.changeInXa(db, c.order, &session) })
	return errors.Join(err, b.awaitEnd(session))
}

// Changes an account within XA, and sends MariaDB's number of the session to `session`.
func (b *sqlBank) changeInXa(db *sql.DB, o order, session *int64) error {
	if b.conf.Driver == "mysql" {
		if err := db.QueryRow("select connection_id()").Scan(session); err != nil {
			return err
		}
	}
	return b.change(db, "action", o)
}

// Waits until MariaDB has ended a session that was closed here. Until then it does not know the
// session's prepared transaction, and the SDK takes that "unknown" for "committed already".
func (b *sqlBank) awaitEnd(session int64) error {
	if session == 0 {
		return nil
	}
	for deadline := time.Now().Add(sessionEndTimeout); time.Now().Before(deadline); {
		left := 0
		query := "select count(*) from information_schema.processlist where id = ?"
		if err := b.db.QueryRow(query, session).Scan(&left); err != nil || left == 0 {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("session %d does not end", session)
}
