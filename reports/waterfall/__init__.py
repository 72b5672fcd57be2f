"""waterfall"""
