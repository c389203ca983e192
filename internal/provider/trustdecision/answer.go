package trustdecision

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// answer is what comes back from every call, and what a push holds (seed 001, Response Parameters). An
// order's answer has neither result nor data.
type answer struct {
	Code       wire.Text               `json:"code"`
	Message    wire.Text               `json:"message"` // never shown: it may repeat what we sent
	Result     wire.Text               `json:"result"`
	SequenceID wire.Text               `json:"sequence_id"`
	Data       wire.Object[wireReport] `json:"data"`
	Ext        wire.Object[extension]  `json:"ext"`
}

// extension is what we put into ext, which comes back as it was.
type extension struct {
	Token wire.Text `json:"token"`
}

// longestSequence is the most characters that we take a sequence_id to have. The page names no limit.
const longestSequence = 128

var errNotAnswer = errors.New("the answer is not a JSON object")

// readAnswer reads a copy: the body of a push is stored as it came, and its hash identifies it.
func readAnswer(body []byte) (answer, error) {
	var a answer
	if err := wire.Decode(bytes.Clone(body), &a); err != nil {
		return answer{}, errNotAnswer
	}
	return a, nil
}

// code is the answer's code; 0 where there is none that is a whole number.
func (a answer) code() int {
	d, ok := wire.NumberOf(string(a.Code)).Decimal()
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(d.Normalize().String())
	if err != nil {
		return 0
	}
	return n
}

// codeText is the code where it has the shape of one.
func (a answer) codeText() string {
	if n := a.code(); n != 0 {
		return wire.Code(wire.Text(strconv.Itoa(n)))
	}
	return wire.Code(a.Code)
}

// sequence is the sequence_id where it has the shape of one.
func (a answer) sequence() string { return wire.ID(a.SequenceID, longestSequence) }

// token is what we gave with the order; "" where it did not come back.
func (a answer) token() string {
	if len(a.Ext.Or().Token) > maxExtension {
		return ""
	}
	return string(a.Ext.Or().Token)
}

// encode writes a request's body, with characters like & as they are: ext is counted in bytes.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(out.Bytes()), nil
}
