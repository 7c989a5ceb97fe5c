"""Finds the module of this name that the script shall have: see gatehouse_compat."""

import gatehouse_compat

gatehouse_compat.provide(__name__)
