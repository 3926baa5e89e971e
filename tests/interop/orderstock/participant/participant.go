// Package participant is what order.rpc and stock.rpc have in common: a go-zero RPC service, its
// database, and branches that run behind the SDK's barrier.
package participant

import (
	"context"
	"database/sql"
	"flag"
	"fmt"

	"github.com/dtm-labs/client/dtmgrpc"
	"github.com/dtm-labs/logger"
	"github.com/zeromicro/go-zero/core/conf"
	"github.com/zeromicro/go-zero/zrpc"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Fewer than the connections that a small test database allows.
const connectionsMax = 20

// Config is the service's YAML file.
type Config struct {
	zrpc.RpcServerConf
	DataSource string
	Gates      Gates
}

// Participant runs branches against one database.
type Participant struct {
	db     *sql.DB
	dbType string
	gates  Gates
}

// Serve reads the file named by -f and serves until the process is stopped. `dbType` is both the
// SDK's name of the database and that of its driver.
func Serve(dbType string, register func(*grpc.Server, *Participant)) {
	file := flag.String("f", "", "go-zero configuration of the service")
	flag.Parse()
	var config Config
	conf.MustLoad(*file, &config)
	logger.InitLog("error")

	db, err := sql.Open(dbType, config.DataSource)
	if err != nil {
		panic(err)
	}
	db.SetMaxOpenConns(connectionsMax)
	db.SetMaxIdleConns(connectionsMax)
	participant := &Participant{db: db, dbType: dbType, gates: config.Gates}
	server := zrpc.MustNewServer(config.RpcServerConf, func(registrar *grpc.Server) {
		register(registrar, participant)
	})
	defer server.Stop()
	server.Start()
}

// Run does the work of a branch and inserts its barrier row in one local transaction, unless the
// barrier knows that the work is done already or must not be done any more. It prints when it
// begins, and how it ends. Its gates are before everything, within the local transaction, and
// between the commit and the answer.
func (p *Participant) Run(ctx context.Context, name string,
	work func(tx *sql.Tx, gid string) error) (*emptypb.Empty, error) {
	barrier, err := dtmgrpc.BarrierFromGrpc(ctx)
	if err != nil {
		return nil, err
	}
	barrier.DBType = p.dbType
	outcome := "nothing to do"
	fmt.Printf("%s %s: begins\n", name, barrier.Gid)
	p.gates.Pass(name+"-arrived", barrier.Gid)
	err = barrier.CallWithDB(p.db, func(tx *sql.Tx) error {
		outcome = "done"
		if err := work(tx, barrier.Gid); err != nil {
			return err
		}
		p.gates.Pass(name+"-uncommitted", barrier.Gid)
		return nil
	})
	if err != nil {
		outcome = err.Error()
	} else {
		p.gates.Pass(name+"-committed", barrier.Gid)
	}
	fmt.Printf("%s %s: %s\n", name, barrier.Gid, outcome)
	return &emptypb.Empty{}, dtmgrpc.DtmError2GrpcError(err)
}

// MustChangeOne turns the result of a statement that did not change exactly one row into an error.
func MustChangeOne(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	count, err := result.RowsAffected()
	if err == nil && count != 1 {
		err = fmt.Errorf("%d rows changed", count)
	}
	return err
}
