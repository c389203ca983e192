package scalar

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/creditgraph/creditgraph/internal/lending"
)

var auditActions = enum[lending.AuditAction]{name: "AuditAction", values: []lending.AuditAction{
	lending.AuditLook, lending.AuditMutation, lending.AuditUnknown,
}}

// MarshalAuditAction writes the enum AuditAction.
func MarshalAuditAction(v lending.AuditAction) graphql.Marshaler { return auditActions.marshal(v) }

// UnmarshalAuditAction reads the enum AuditAction.
func UnmarshalAuditAction(v any) (lending.AuditAction, error) { return auditActions.unmarshal(v) }
