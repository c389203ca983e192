package server

import (
	"context"
	"reflect"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/service"
)

// auditBook collects what has to be written down of one answer.
type auditBook struct {
	mu        sync.Mutex
	looks     map[lending.CustomerID]*lending.AuditRecord // one for each customer whose data was shown
	mutations []*lending.AuditRecord
}

type auditKey struct{}

// bookOf is the book of the answer that ctx belongs to; nil where nothing is audited.
func bookOf(ctx context.Context) *auditBook {
	book, _ := ctx.Value(auditKey{}).(*auditBook)
	return book
}

// audited hands what was seen and done to the auditor before the answer leaves. A mutation does not begin, and
// personal data is not shown, where it cannot be written down.
func audited(auditor *service.Auditor) graphql.ResponseMiddleware {
	return func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		if auditor == nil {
			return next(ctx)
		}
		book := &auditBook{looks: map[lending.CustomerID]*lending.AuditRecord{}}
		ctx = context.WithValue(ctx, auditKey{}, book)
		if op := graphql.GetOperationContext(ctx).Operation; op != nil && op.Operation == ast.Mutation {
			put, err := auditor.Reserve(ctx)
			if err != nil {
				return failed(ctx, err)
			}
			defer func() { put(book.records()...) }()
			return next(ctx)
		}
		response := next(ctx)
		records := book.records()
		if len(records) == 0 {
			return response
		}
		put, err := auditor.Reserve(ctx)
		if err != nil {
			return failed(ctx, err)
		}
		put(records...)
		return response
	}
}

// records are all that was collected.
func (b *auditBook) records() []*lending.AuditRecord {
	b.mu.Lock()
	defer b.mu.Unlock()
	records := slices.Clone(b.mutations)
	for _, look := range b.looks {
		slices.Sort(look.Fields)
		records = append(records, look)
	}
	return records
}

// newRecord is a record of who asks.
func newRecord(ctx context.Context, action lending.AuditAction, customer lending.CustomerID) *lending.AuditRecord {
	record := &lending.AuditRecord{RequestID: requestOf(ctx).id, Action: action, CustomerID: customer}
	if p := auth.From(ctx); p != nil {
		record.ClientID = p.ClientID
	}
	if op := graphql.GetOperationContext(ctx); op.Operation != nil {
		record.OperationName = operationName(op)
	}
	return record
}

// saw notes that a personal field was shown in full.
func (b *auditBook) saw(ctx context.Context, object any) {
	if b == nil {
		return
	}
	at := graphql.GetFieldContext(ctx)
	customer, field := customerBehind(at, object), at.Object+"."+at.Field.Name
	b.mu.Lock()
	defer b.mu.Unlock()
	look := b.looks[customer]
	if look == nil {
		look = newRecord(ctx, lending.AuditLook, customer)
		b.looks[customer] = look
	}
	if !slices.Contains(look.Fields, field) {
		look.Fields = append(look.Fields, field)
	}
}

// runs notes that a mutation begins; what it gives has to be told how it ended. One that never tells, because
// it panicked, is noted as INTERNAL.
func (b *auditBook) runs(ctx context.Context) (ended func(value any, err error)) {
	if b == nil {
		return func(any, error) {}
	}
	at := graphql.GetFieldContext(ctx)
	record := newRecord(ctx, lending.AuditMutation, namedIn(at.Args["input"]))
	record.Fields, record.ErrorCode = []string{at.Object + "." + at.Field.Name}, lending.KindInternal
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mutations = append(b.mutations, record)
	return func(value any, err error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		record.ErrorCode = codeOf(value, err)
		if owner := ownerOf(value); owner != "" {
			record.CustomerID = owner
		}
	}
}

// codeOf is what a mutation failed with; "" for nothing.
func codeOf(value any, err error) lending.ErrorKind {
	result, _ := value.(*service.Result)
	switch {
	case err != nil:
		return lending.KindOf(err)
	case result == nil:
	case len(result.Problems) > 0:
		return result.Problems[0].Kind
	case result.Operation != nil && result.Operation.Failure != nil:
		return result.Operation.Failure.Kind
	}
	return ""
}

// customerBehind is whose an object is: its own owner, or that of the nearest object above it that has one.
func customerBehind(at *graphql.FieldContext, object any) lending.CustomerID {
	if owner := ownerOf(object); owner != "" {
		return owner
	}
	for at = at.Parent; at != nil; at = at.Parent {
		if owner := ownerOf(at.Result); owner != "" {
			return owner
		}
	}
	return ""
}

// ownerOf is the customer whom an object of the graph concerns; "" for one that tells none.
func ownerOf(object any) lending.CustomerID {
	switch o := object.(type) {
	case *lending.Customer:
		if o != nil {
			return o.ID
		}
	case *service.Result:
		if o != nil {
			return ownerOfResult(o)
		}
	default:
		return fieldOf[lending.CustomerID](object)
	}
	return ""
}

func ownerOfResult(r *service.Result) lending.CustomerID {
	for _, part := range []any{r.Operation, r.Customer, r.Loan, r.Payment, r.Score, r.Report, r.Supplier, r.Document} {
		if owner := ownerOf(part); owner != "" {
			return owner
		}
	}
	return ""
}

// namedIn is the customer whom a mutation's input names; "" for none.
func namedIn(input any) lending.CustomerID {
	id, err := lending.ParseID[lending.CustomerID](lending.CustomerNode, fieldOf[string](input))
	if err != nil {
		return ""
	}
	return id
}

// fieldOf is what a struct, or what a pointer to one points to, has as its CustomerID: all types of ours that
// concern a customer call it so.
func fieldOf[T any](object any) T {
	var none T
	v := reflect.Indirect(reflect.ValueOf(object))
	if v.Kind() != reflect.Struct {
		return none
	}
	field := v.FieldByName("CustomerID")
	if !field.IsValid() {
		return none
	}
	value, _ := field.Interface().(T)
	return value
}
