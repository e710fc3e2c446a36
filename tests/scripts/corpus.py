"""Hostile scripts, as data. CANARY stands for a file that exists only if a payload ran a command or wrote a file.

Every one is refused by the allow-list; each of the other walls is tried with the allow-list taken away.
"""

HEAD = """{#
title = "Corpus"
language = "en"
kind = "tip"
[variables.name]
type = "text"
[variables.items]
type = "list"
[variables.day]
type = "date"
[variables.n]
type = "number"
#}
"""
VALUES = {"name": "Ada", "items": "one\ntwo", "day": "2027-03-14", "n": "3"}

EXHAUST = {
    "range": "{% for i in range(10**9) %}x{% endfor %}",
    "nested ranges": "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
    "text times number": "{{ 'A' * (10**9) }}",
    "folded at compile": "{{ ('A' * (10**9)) | length }}",
    "power": "{{ 10**(10**7) }}",
    "power of powers": "{% if 9**9**9 %}x{% endif %}",
    "percent format": "{{ '%999999999d' | format(1) }}",
    "percent operator": "{{ '%999999999d' % 1 }}",
    "str.format width": "{{ '{:>999999999}'.format(1) }}",
    "center": "{{ 'x' | center(999999999) }}",
    "join of a range": "{{ range(99999) | join('A' * 9999) }}",
    "indent": "{{ ('a\n' * 99999) | indent(99999) }}",
    "wordwrap": "{{ ('a ' * 9999999) | wordwrap(1) }}",
    "lipsum": "{{ lipsum(n=99999) }}",
    "set doubling": "{% set a = 'AAAAAAAAAA' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
    "concat doubling": "{% set a = name ~ name %}{{ a ~ a ~ a }}",
    "replace doubling": "{{ name" + " | replace('a', 'aaaaaaaaaaaaaaaaaaaa')" * 12 + " }}",
    "list times number": "{{ ([1] * 10**9) | length }}",
    "recursive macro": "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "recursive loop": "{% for i in items recursive %}{{ loop(items) }}{% endfor %}",
    "urlize (CVE-2020-28493)": "{{ ('a@' * 99999) | urlize }}",
    "pprint of nested lists": "{{ " + "[" * 90 + "1" + "]" * 90 + " | pprint }}",
    "batch": "{{ range(99999) | batch(1, 'x') | list }}",
}
"""The 23 of the measured table: each one fills memory or burns the processor in Jinja's own sandbox, or tries to."""

ESCAPE = {
    "class of a text": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "class by item": "{{ ''['__class__'] }}",
    "class by joined item": "{{ ''['__cla' ~ 'ss__'] }}",
    "class by hex": "{{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "class of a variable": "{{ name.__class__ }}",
    "class of a list": "{{ items.__class__.__base__.__subclasses__() }}",
    "class of a number": "{{ n.__class__.__init__.__globals__ }}",
    "module of a date": "{{ day.__class__.__module__ }}",
    "language of a date": "{{ day.language }}",
    "method of a date": "{{ day.strftime('%Y') }}",
    "resolution of a date": "{{ day.resolution }}",
    "cycler": "{{ cycler.__init__.__globals__.os.popen('touch CANARY').read() }}",
    "joiner": "{{ joiner.__init__.__globals__.os.popen('touch CANARY').read() }}",
    "namespace": "{{ namespace.__init__.__globals__.os.popen('touch CANARY').read() }}",
    "lipsum globals": "{{ lipsum.__globals__['os'].popen('touch CANARY').read() }}",
    "self": "{{ self.__init__.__globals__.__builtins__.open('CANARY', 'w') }}",
    "self block": "{{ self._TemplateReference__context.cycler.__init__.__globals__.os.system('touch CANARY') }}",
    "config": "{{ config.items() }}",
    "request": "{{ request.application.__globals__.__builtins__.__import__('os').popen('touch CANARY').read() }}",
    "url_for": "{{ url_for.__globals__.os.system('touch CANARY') }}",
    "get_flashed_messages": "{{ get_flashed_messages.__globals__.__builtins__.open('CANARY', 'w') }}",
    "dict": "{{ dict(a=1).__class__ }}",
    "undefined": "{{ nothing.__class__.__init__.__globals__ }}",
    "undefined import": "{{ x.__init__.__globals__.__builtins__.__import__('os').system('touch CANARY') }}",
    "loop": "{% for i in items %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "loop private": "{% for i in items %}{{ loop._iterable }}{% endfor %}",
    "loop cycle": "{% for i in items %}{{ loop.cycle.__globals__ }}{% endfor %}",
    "loop call": "{% for i in items %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "catch_warnings": "{% for c in [].__class__.__base__.__subclasses__() %}{% if c.__name__ == 'catch_warnings' %}"
    "{{ c()._module.__builtins__.__import__('os').system('touch CANARY') }}{% endif %}{% endfor %}",
    "Popen by number": "{{ ''.__class__.__mro__[1].__subclasses__()[400]('touch CANARY', shell=True) }}",
    "CVE-2016-10745 format": "{{ '{0.__class__.__init__.__globals__}'.format(name) }}",
    "CVE-2016-10745 format by item": "{{ '{0[__class__]}'['format'](name) }}",
    "CVE-2019-10906 format_map": "{{ '{a.__class__}'.format_map({'a': name}) }}",
    "CVE-2019-10906 format_map in a call": "{{ ('{n.__class__.mro}'.format_map)(dict(n=n)) }}",
    "CVE-2024-56326 stored format": "{% set f = '{0.__class__}'.format %}{{ f(name) }}",
    "CVE-2024-56326 format in a loop": "{% for f in ['{0.__class__}'.format] %}{{ f(name) }}{% endfor %}",
    "CVE-2024-56326 format through a filter": "{{ ['{0.__class__}'] | map('format', name) | list }}",
    "CVE-2024-56326 format through with": "{% with f = '{0.__class__}'.format %}{{ f(name) }}{% endwith %}",
    "CVE-2024-56201 name in include": "{% include \"x'\n__import__('os').system('touch CANARY')#\" %}",
    "CVE-2024-56201 name in import": "{% import \"x'+__import__('os').system('touch CANARY')+'\" as x %}",
    "CVE-2024-56201 name in from": "{% from \"x');__import__('os').system('touch CANARY');('\" import y %}",
    "CVE-2024-56201 name in extends": "{% extends \"x'\\n__import__('os').system('touch CANARY')\" %}",
    "CVE-2025-27516 attr": "{{ ('{0.__class__}' | attr('format'))(name) }}",
    "CVE-2025-27516 attr of a name": "{{ name | attr('__class__') }}",
    "CVE-2025-27516 attr chain": "{{ (''|attr('__class__')|attr('__mro__')|last).__subclasses__() }}",
    "CVE-2025-27516 map attribute": "{{ [name] | map(attribute='__class__') | list }}",
    "CVE-2024-22195 xmlattr": "{{ {'a b onload=x': 1} | xmlattr }}",
    "CVE-2024-34064 xmlattr": "{{ {'a/onload=x': 1} | xmlattr }}",
    "groupby": "{{ items | groupby('__class__') }}",
    "map": "{{ items | map('upper') | list }}",
    "select": "{{ items | select('callable') | list }}",
    "sum": "{{ items | sum(attribute='__class__', start='') }}",
    "sort": "{{ items | sort(attribute='__class__') }}",
    "safe": "{{ name | safe }}",
    "tojson": "{{ name | tojson }}",
    "random": "{{ items | random }}",
    "callable test": "{{ name is callable }}",
    "filter test": "{{ 'attr' is filter }}",
    "sameas": "{{ name is sameas(name) }}",
    "method": "{{ name.upper() }}",
    "method without call": "{{ name.upper }}",
    "mutating a list": "{% if items.append('x') %}{% endif %}",
    "include of a file": "{% include '/etc/passwd' %}",
    "import with context": "{% from 'os' import system with context %}{{ system('touch CANARY') }}",
    "block": "{% block b %}{{ super.__init__.__globals__ }}{% endblock %}",
    "call block": "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{% call m() %}x{% endcall %}",
    "macro globals": "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    "macro varargs": "{% macro m() %}{{ varargs.__class__ }}{% endmacro %}{{ m(1) }}",
    "filter block": "{% filter attr('__class__') %}x{% endfilter %}",
    "set block": "{% set x | attr('__class__') %}y{% endset %}{{ x }}",
    "namespace write": "{% set ns = namespace(a=1) %}{% set ns.__class__ = 1 %}",
    "autoescape": "{% autoescape true %}{{ name }}{% endautoescape %}",
    "do": "{% do name.__class__ %}",
    "debug": "{% debug %}",
    "trans": "{% trans %}{{ name }}{% endtrans %}",
    "break": "{% for i in items %}{% break %}{% endfor %}",
    "unpacking": "{% for a, b in items %}{{ a }}{% endfor %}",
    "loop over a text": "{% for c in name %}{{ c }}{% endfor %}",
    "loop over a call": "{% for c in name.split() %}{{ c }}{% endfor %}",
    "loop that renames": "{% for name in items %}{{ name }}{% endfor %}",
    "default that leads on": "{{ name | default(name.__class__) }}",
    "join that leads on": "{{ items | join(name.__class__) }}",
    "inline if that leads on": "{{ name if name.__class__ else '' }}",
    "comparison that leads on": "{{ 1 < name.__class__ }}",
    "loop filter that leads on": "{% for i in items if i.__class__ %}{{ i }}{% endfor %}",
    "keyword to a filter": "{{ name | truncate(length=20) }}",
    "star to a filter": "{{ name | truncate(*items) }}",
    "double star to a filter": "{{ name | truncate(**items) }}",
    "slice": "{{ name[::-1] }}",
    "environment": "{{ environment }}",
    "context": "{{ context }}",
    "undefined name": "{{ open('CANARY', 'w') }}",
    "builtins": "{{ __builtins__ }}",
    "import": "{{ __import__('os').system('touch CANARY') }}",
}

INERT = {
    "freemarker": "${7*7} <#assign x='freemarker.template.utility.Execute'?new()>",
    "ruby": "#{7*7} <%= system('touch CANARY') %>",
    "velocity": "#set($x = 7*7) $x",
    "ffmpeg": "'; [in]drawtext=textfile=/etc/passwd[out]",
    "ssml": "</speak><speak><audio src='http://127.0.0.1/'/>",
    "html": "<script>alert(1)</script>",
    "shell": "$(touch CANARY) `touch CANARY`",
    "template in raw": "{% raw %}{{ 7*7 }}{% endraw %}",
    "template in a text": "{{ '{{ 7*7 }}' }}",
}
"""Not Jinja's business: comes out as it is written. Whoever puts it into HTML, SSML or a command escapes it there."""
