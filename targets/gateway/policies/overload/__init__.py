"""overload"""
