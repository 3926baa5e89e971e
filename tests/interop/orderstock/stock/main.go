// stock.rpc: the stock and every change of it, in PostgreSQL.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dtm-labs/client/dtmcli"
	_ "github.com/lib/pq"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"concerto.test/orderstock/participant"
	"concerto.test/orderstock/pb"
)

type stock struct {
	pb.UnimplementedStockServer
	*participant.Participant
}

func (s stock) Deduct(ctx context.Context, in *pb.OrderInfo) (*emptypb.Empty, error) {
	return s.Run(ctx, "deduct", func(tx *sql.Tx, gid string) error {
		return move(tx, gid, in.ProductId, -in.Quantity)
	})
}

func (s stock) Restore(ctx context.Context, in *pb.OrderInfo) (*emptypb.Empty, error) {
	return s.Run(ctx, "restore", func(tx *sql.Tx, gid string) error {
		return move(tx, gid, in.ProductId, in.Quantity)
	})
}

// Changes the stock and records the change. If less than nothing would be left, it returns the
// SDK's failure, which rolls the saga back.
func move(tx *sql.Tx, gid, product string, change int64) error {
	var left int64
	err := tx.QueryRow("update stock set quantity = quantity + $1"+
		" where product_id = $2 and quantity + $1 >= 0 returning quantity", change, product).Scan(&left)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("not enough %s in stock %w", product, dtmcli.ErrFailure)
	}
	if err != nil {
		return err
	}
	return participant.MustChangeOne(tx.Exec(
		"insert into movements(gid, product_id, change, quantity_left) values($1, $2, $3, $4)",
		gid, product, change, left))
}

func main() {
	participant.Serve("postgres", func(server *grpc.Server, p *participant.Participant) {
		pb.RegisterStockServer(server, stock{Participant: p})
	})
}
