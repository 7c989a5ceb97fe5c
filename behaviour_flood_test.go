package gatehouse_test

func serveWithFewDescriptors() error { return nil }
