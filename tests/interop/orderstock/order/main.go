// order.rpc: the orders, in MariaDB.
package main

import (
	"context"
	"database/sql"

	_ "github.com/go-sql-driver/mysql"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"concerto.test/orderstock/participant"
	"concerto.test/orderstock/pb"
)

type orders struct {
	pb.UnimplementedOrderServer
	*participant.Participant
}

func (o orders) Create(ctx context.Context, in *pb.OrderInfo) (*emptypb.Empty, error) {
	return o.Run(ctx, "create", func(tx *sql.Tx, _ string) error {
		return participant.MustChangeOne(tx.Exec(
			"insert into orders(order_id, product_id, quantity, status) values(?, ?, ?, 'valid')",
			in.OrderId, in.ProductId, in.Quantity))
	})
}

func (o orders) Cancel(ctx context.Context, in *pb.OrderInfo) (*emptypb.Empty, error) {
	return o.Run(ctx, "cancel", func(tx *sql.Tx, _ string) error {
		return participant.MustChangeOne(tx.Exec(
			"update orders set status = 'cancelled' where order_id = ? and status = 'valid'",
			in.OrderId))
	})
}

func main() {
	participant.Serve("mysql", func(server *grpc.Server, p *participant.Participant) {
		pb.RegisterOrderServer(server, orders{Participant: p})
	})
}
