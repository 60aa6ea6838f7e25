#!/usr/bin/env python3
# tier: long
# stores: sqlite
"""Every page in all four languages, each on a phone and on a desk (pages.py says what is looked at)."""
import os

import pages

if __name__ == '__main__':
    os.environ['LANGUAGES'], os.environ['THOROUGH'] = 'en fr ar fa', 'yes'
    pages.main()
