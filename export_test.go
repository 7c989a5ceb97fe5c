package gatehouse

// States are the states that the server's connections are in.
func (s *Server) States() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for c := range s.conns {
		list = append(list, stateWord(c.word.Load()).state().String())
	}
	return list
}

// MoveAfter is how long a connection is idle before it moves.
const MoveAfter = moveAfter
