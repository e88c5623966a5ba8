"""Templates for chat_template_test.py: families' styles, single rules, and a grammar of random programs."""

FAMILIES = {
    "chatml": "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    "zephyr style": """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>\\n' + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}
""",
    "llama-2 style": """{% if messages and messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set rest = messages %}{% set system_message = false %}{% endif %}
{%- for m in rest -%}
{%- if (m['role'] == 'user') != (loop.index0 % 2 == 0) -%}{{ raise_exception('Roles must alternate user/assistant, not ' ~ m.role) }}{%- endif -%}
{%- if loop.index0 == 0 and system_message != false -%}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + m['content'] %}{% else %}{% set content = m['content'] %}{% endif %}
{%- if m['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif m['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}""",
    "llama-3 style": """{{- bos_token }}
{%- if custom_tools is defined %}{%- set tools = custom_tools %}{%- endif %}
{%- if not tools_in_user_message is defined %}
    {%- set tools_in_user_message = true %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}{%- set tools = none %}{%- endif %}
{#- the system turn comes first, if any #}
{%- if messages|length > 0 and messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|h|>system<|/h|>\\n\\n" }}
{%- if tools is not none %}{{- "Environment: ipython\\n" }}{%- endif %}
{{- "Today Date: " + date_string + "\\n\\n" }}
{%- if tools is not none and not tools_in_user_message %}
    {%- for t in tools %}{{- t | tojson(indent=4) }}{{- "\\n\\n" }}{%- endfor %}
{%- endif %}
{{- system_message ~ "<|eot|>" }}
{%- if tools_in_user_message and not tools is none %}
    {%- if messages | length != 0 %}
        {%- set first_user_message = messages[0]['content']|trim %}
        {%- set messages = messages[1:] %}
    {%- else %}
        {{- raise_exception("Cannot put tools in the first user message when there's no first user message!") }}
    {%- endif %}
    {{- '<|h|>user<|/h|>\\n\\n' -}}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
    {{- first_user_message + "<|eot|>"}}
{%- endif %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|h|>' + message['role'] + '<|/h|>\\n\\n'+ message['content'] | trim + '<|eot|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}{{- raise_exception("one tool call at once!") }}{%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '{"name": "' + tool_call.name + '", ' }}{{- '"parameters": ' }}{{- tool_call.arguments | tojson }}{{- "}" }}
        {%- for arg_name, arg_val in tool_call.arguments | items %}{{- arg_name + '="' ~ arg_val ~ '"' }}{%- if not loop.last %}{{- ", " }}{%- endif %}{%- endfor %}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|h|>ipython<|/h|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}{{- message.content | tojson }}{%- else %}{{- message.content }}{%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|h|>assistant<|/h|>\\n\\n' }}
{%- endif %}
""",
    "mistral tools style": """{%- if messages and messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}{%- set tools = none %}{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}{{- raise_exception("roles must alternate") }}{%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}{{- ", " }}{%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" }}{%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS] [" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}{{- raise_exception("ids have nine characters") }}{%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
            {%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" + eos_token }}{%- endif %}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- elif message["role"] == "tool_results" or message["role"] == "tool" %}
        {%- if message.content is defined and message.content.content is defined %}
            {%- set content = message.content.content %}
        {%- else %}
            {%- set content = message.content %}
        {%- endif %}
        {{- '[TOOL_RESULTS] {"content": ' + content|string + ", " }}
        {{- '"call_id": "' + message.tool_call_id + '"}[/TOOL_RESULTS]' }}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}
    {%- endif %}
{%- endfor %}
""",
    "qwen-3 style": """{%- if tools %}
    {{- '<|s|>system\\n' }}
    {%- if messages and messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
{%- else %}
    {%- if messages and messages[0].role == 'system' %}
        {{- '<|s|>system\\n' + messages[0].content + '<|e|>\\n' }}
    {%- endif %}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}{%- set content = message.content %}{%- else %}{%- set content = '' %}{%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|s|>' + message.role + '\\n' + content + '<|e|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index %}
            {%- if loop.last or (not loop.last and reasoning_content) %}
                {{- '<|s|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
            {%- else %}
                {{- '<|s|>' + message.role + '\\n' + content }}
            {%- endif %}
        {%- else %}
            {{- '<|s|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}{{- '\\n' }}{%- endif %}
                {%- if tool_call.function %}{%- set tool_call = tool_call.function %}{%- endif %}
                {{- '<tool_call>\\n{"name": "' }}
                {{- tool_call.name }}
                {{- '", "arguments": ' }}
                {%- if tool_call.arguments is string %}{{- tool_call.arguments }}{%- else %}{{- tool_call.arguments | tojson }}{%- endif %}
                {{- '}\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|e|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}{{- '<|s|>user' }}{%- endif %}
        {{- '\\n<tool_response>\\n' }}{{- content }}{{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}{{- '<|e|>\\n' }}{%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|s|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}""",
    "gemma-3 style": """{{ bos_token }}
{%- if messages and messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}{%- set role = "model" -%}{%- else -%}{%- set role = message['role'] -%}{%- endif -%}
    {{ '<start>' + role + '\\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}{{ '<image>' }}{%- elif item['type'] == 'text' -%}{{ item['text'] | trim }}{%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start>model\\n'}}
{%- endif -%}
""",
    "deepseek style": """{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='') %}{%- for message in messages %}{%- if message['role'] == 'system' %}{% set ns.system_prompt = ns.system_prompt + message['content'] %}{%- endif %}{%- endfor %}{{bos_token}}{{ns.system_prompt}}{%- for message in messages %}{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{{'<｜User｜>' + message['content']}}{%- endif %}{%- if message['role'] == 'assistant' and message['tool_calls'] %}{%- set ns.is_tool = false -%}{%- for tool in message['tool_calls']%}{%- if not ns.is_first %}{{'<｜Assistant｜>' + tool['type'] + '\\n' + '```json' + '\\n' + tool['function']['arguments']|tojson + '\\n```'}}{%- set ns.is_first = true -%}{%- else %}{{'\\n' + tool['type']}}{%- endif %}{%- endfor %}{%- endif %}{%- if message['role'] == 'assistant' and not message['tool_calls'] %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{'<｜Assistant｜>' + content + eos_token}}{%- endif %}{%- if message['role'] == 'tool' %}{%- set ns.is_tool = true -%}{%- if ns.is_output_first %}{{'<out>' + message['content']}}{%- set ns.is_output_first = false %}{%- else %}{{'\\n<out>' + message['content']}}{%- endif %}{%- endif %}{%- endfor -%}{% if ns.is_tool %}{{'<end>'}}{% endif %}{% if add_generation_prompt and not ns.is_tool %}{{'<｜Assistant｜><think>\\n'}}{% endif %}""",
    "command-r style": """{{ bos_token }}{% if messages and messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% elif false == true %}{% set loop_messages = messages %}{% set system_message = 'You are a model.' %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% if system_message != false %}{{ '<|SYS|>' + system_message + '<|END|>' }}{% endif %}
{%- macro document_turn(documents) -%}
{%- for d in documents %}Document: {{ loop.index0 }}
{% for k, v in d.items() %}{{ k|title }}: {{ v }}{% if not loop.last %}{{ '\\n' }}{% endif %}{% endfor %}
{%- endfor %}
{%- endmacro %}
{%- macro json_to_python_type(spec) %}
{%- set basic = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}
{%- if basic[spec.type] is defined %}{{- basic[spec.type] }}
{%- elif spec.type == "array" %}{{- "List[" + json_to_python_type(spec['items']) + "]" }}
{%- elif spec.type == "object" %}{{- "Dict[" }}{%- for name, p in spec.properties.items() %}{{ name }}: {{ json_to_python_type(p) }}{{ ', ' if not loop.last }}{%- endfor %}{{- "]" }}
{%- else %}{{- "Any" }}{%- endif %}
{%- endmacro %}
{%- if documents %}{{ document_turn(documents) }}{% endif %}
{%- for t in tools or [] %}def {{ t.function.name }}({{ json_to_python_type(t.function.parameters) }}) -> None:
    \"\"\"{{ t.function.description }}\"\"\"
    {% for name, p in t.function.parameters.properties | dictsort %}{{ name.upper() }}{{ ' = ' ~ p.default if p.default is defined else '' }}; {% endfor %}
{% endfor %}
{%- for message in loop_messages %}{% set content = message['content'] %}{% if message['role'] == 'user' %}{{ '<|USER|>' + content.strip() + '<|END|>' }}{% elif message['role'] == 'assistant' %}{{ '<|BOT|>' + content.strip() + '<|END|>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|BOT|>' }}{% endif %}""",
    "granite style": """{%- set tools = tools | default([]) %}
{%- if messages and messages[0]['role'] == 'system' %}
     {%- set system_message = messages[0]['content'] %}
     {%- set loop_messages = messages[1:] %}
 {%- else %}
     {%- set system_message = "Knowledge Cutoff Date: April 2024.\\nToday's Date: " + strftime_now('%B %d, %Y') + "." %}
     {%- if tools and documents %}
         {%- set system_message = system_message + " Tools and documents." %}
     {%- elif tools %}
         {%- set system_message = system_message + " Tools." %}
     {%- endif %}
     {%- set loop_messages = messages %}
 {%- endif %}
 {{- '<|r|>system<|/r|>' + system_message + '<|x|>\\n' }}
 {%- if tools %}
     {{- '<|r|>tools<|/r|>' }}
     {{- tools | tojson(indent=4) }}
     {{- '<|x|>\\n' }}
 {%- endif %}
 {%- if documents %}
     {%- for document in documents %}
         {{- 'Document ' + loop.index0 | string + '\\n' }}
         {{- document['text'] }}
         {%- if not loop.last %}{{- '\\n\\n'}}{%- endif%}
     {%- endfor %}
 {%- endif %}
 {%- for message in loop_messages %}
     {{- '<|r|>' + message['role'] + '<|/r|>' + message['content'] + '<|x|>\\n' }}
     {%- if loop.last and add_generation_prompt %}
            {{- '<|r|>assistant' }}
            {%- if controls %}{{- ' ' + controls | tojson()}}{%- endif %}
            {{- '<|/r|>' }}
     {%- endif %}
 {%- endfor %}""",
    "smollm-3 style": """{# defaults #}
{%- if enable_thinking is not defined -%}
{%- set enable_thinking = true -%}
{%- endif -%}
{%- set reasoning_mode = "/think" if enable_thinking else "/no_think" -%}
{%- if messages and messages[0].role == "system" -%}
  {%- set system_message = messages[0].content -%}
  {%- if "/no_think" in system_message -%}{%- set reasoning_mode = "/no_think" -%}{%- endif -%}
  {%- set custom_instructions = system_message.replace("/no_think", "").replace("/think", "").rstrip() -%}
{%- endif -%}
{{- "<|s|>system\\n" -}}
{%- set today = strftime_now("%d %B %Y") -%}
{{- "Today Date: " ~ today ~ "\\n" -}}
{{- "Reasoning Mode: " + reasoning_mode + "\\n\\n" -}}
{%- if custom_instructions -%}{{- custom_instructions + "\\n\\n" -}}{%- endif -%}
{%- if tools -%}
  {%- set ns = namespace(xml_tool_string="Tools\\n") -%}
  {%- for tool in tools[:3] -%}{%- set ns.xml_tool_string = ns.xml_tool_string ~ (tool | string) ~ "\\n" -%}{%- endfor -%}
  {{- ns.xml_tool_string + "</tools>" -}}
{%- endif -%}
{{- "<|e|>\\n" -}}
{%- for message in messages -%}
    {%- set content = message.content if message.content is string else "" -%}
    {%- if message.role == "user" -%}
        {{ "<|s|>" + message.role + "\\n"  + content + "<|e|>\\n" }}
    {%- elif message.role == "assistant" -%}
        {% generation %}
        {%- if reasoning_mode == "/think" -%}
            {{ "<|s|>assistant\\n" + content.lstrip("\\n") + "<|e|>\\n" }}
        {%- else -%}
            {{ "<|s|>assistant\\n" + "<think>\\n\\n</think>\\n" + content.lstrip("\\n") + "<|e|>\\n" }}
        {%- endif -%}
        {% endgeneration %}
    {%- elif message.role == "tool" -%}
        {{ "<|s|>" + "user\\n"  + content + "<|e|>\\n" }}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{ "<|s|>assistant\\n" }}
{%- endif -%}""",
    "olmo style": "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'system' %}{{ '<|system|>\n' + message['content'] + '\n' }}{% elif message['role'] == 'user' %}{{ '<|user|>\n' + message['content'] + '\n' }}{% elif message['role'] == 'assistant' %}{% if not loop.last %}{{ '<|assistant|>\n'  + message['content'] + eos_token + '\n' }}{% else %}{{ '<|assistant|>\n'  + message['content'] + eos_token }}{% endif %}{% endif %}{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}{% endfor %}",
}

# One thing each. Written as Python texts, so "\\n" is an escape in the template and "\n" a newline.
RULES = [
    # white space
    "a\n{% if true %}\nb\n{% endif %}\nc\n", "a\n  {% if true %}  \nb{% endif %}", "  {%+ if true %}x{% endif %}", "a {%- if true -%} b {%- endif -%} c",
    "a\n\n{{- 'x' -}}\n\nb", "a\n  {{ 'x' }}\n  b", "{% if true +%}\nx{% endif %}", "  {# c #}\nx", "x{# c -#}\n\n y", "x\n  {#- c +#}\ny", "{% raw %}{{ x }} {% if %}{% endraw %}y",
    "{% raw -%}  \n {{ x }}\n  {%- endraw %}\ny", "a\r\nb\r{{ 'c\r\nd' }}\n", "{{ 1 }}\n\n", "", "\n", "\n\n", "{{ '}}' }}{{ {'a': {}} }}", "{{ '{%' }}", "{#-#}x", "{# a #}{# b #}\n\n", "\t{% set x = 1 %}\n\t{{ x }}",
    "{{-5}}{{+ 5}}", "{% if 1 %} {% endif %}x", "a\n \u00a0{% if true %}b{% endif %}", "a \u3000{{- 1 }}",
    # texts and numbers
    "{{ 'a\\tb\\x41\\u0995\\101\\q\\\\\\'' }}", "{{ 'a' 'b' \"c\" }}", "{{ '\\\né' }}|{{ '\\é' }}", "{{ 1_000 }} {{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1e3 }} {{ 1.50 }} {{ 1E-7 }} {{ 00 }}",
    "{{ 1e16 }} {{ 1e15 }} {{ 0.0001 }} {{ 0.00001 }} {{ -0.0 }} {{ 1/3 }} {{ 2**0.5 }} {{ 1e300*1e300 }}", "{{ 7//2 }} {{ -7//2 }} {{ 7%-3 }} {{ -7%3 }} {{ 7.5//2 }} {{ -7.5%2 }} {{ 2**10 }} {{ 2**-1 }} {{ 2**3**2 }} {{ -2**2 }}",
    "{{ 4/2 }} {{ 3*1.0 }} {{ true+true }} {{ 10 % 4.0 }}", "{{ 'ab'*3 }} {{ 2*[1] }} {{ (1,)*2 }} {{ 'a'*-1 }}", "{{ 1/0 }}", "{{ 'a'+1 }}", "{{ 'a'~1~none~true~1.0 }}", "{{ [1,'a\\'b',\"q\\\"\",none,true,1.0,(1,),(),{'k':[]}] }}",
    "{{ 'আ\\n\\x00\\u200d\\U0001f600' }} {{ ['আ\\n\\x00\\u200d\\U0001f600\\xa0'] }}",
    # comparisons, logic
    "{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 == true }} {{ 'a' < 'b' }} {{ [1,2] < [1,3] }} {{ (1,2) == [1,2] }}", "{{ 1 in [1.0] }} {{ 'b' in 'abc' }} {{ 'k' in {'k':1} }} {{ 3 not in [1] }} {{ not 1 in [1] }}", "{{ 1 in 'a' }}", "{{ 1 < 'a' }}",
    "{{ 0 or 'x' }} {{ 1 and 'y' }} {{ '' and 1/0 }}| {{ not '' }} {{ none or false }}", "{{ 'a' if false }}|{{ 'a' if 1 else 'b' }}|{{ 1 if 0 else 2 if 0 else 3 }}", "{{ ('a' if false).b }}", "{{ 1 if true else 2 | string ~ 'x' }}",
    # undefined
    "{{ x }}|{{ x is defined }}|{{ x|default('d') }}|{{ x or 'y' }}|{{ [x] }}|{{ x|length }}|{{ x == y }}|{{ 'a' in x }}|{{ x|list }}", "{{ x.y }}", "{{ x['y'] }}", "{{ x() }}", "{{ x + 1 }}", "{{ x ~ 'a' }}", "{{ x|tojson }}", "{{ x|int }}", "{% for a in x %}1{% else %}e{% endfor %}",
    "{{ messages[9] }}|{{ messages[0].nope }}|{{ messages[0]['nope'] is defined }}", "{{ messages[0].nope.x }}", "{{ x is string }}{{ x is iterable }}{{ x is mapping }}{{ x is sequence }}{{ x is none }}{{ x is callable }}", "{{ x < 1 }}", "{{ none.x }}|{{ 1 .x }}|{{ 'a'.x }}", "{{ x|first }}|{{ x|join }}|{{ x|upper }}|{{ x|trim }}",
    # loops
    "{% for a in [1,2,3] %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }}|{{ loop.previtem }}|{{ loop.nextitem }};{% endfor %}",
    "{% for a in [1,2,3,4] if a is even %}{{ loop.index }}:{{ a }}/{{ loop.length }}{{ loop.last }} {% endfor %}", "{% for a in [] %}x{% else %}none{% endfor %}", "{% for a in [1] %}{% continue %}{% else %}E{% endfor %}", "{% for a in [1] %}{% break %}{% else %}E{% endfor %}", "{% for a in [1,2] %}{% if a==2 %}{% break %}{% endif %}{{ a }}{% else %}E{% endfor %}",
    "{% for k, v in {'a':1,'b':2}.items() %}{{ k }}={{ v }},{% endfor %}", "{% for (a, b), c in [((1,2),3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for a, b in [(1,2,3)] %}{% endfor %}", "{% for a in 5 %}{% endfor %}", "{% for c in 'আab' %}[{{ c }}]{% endfor %}", "{% for a in {'x':1} %}{{ a }}{% endfor %}", "{% for i in range(3) %}{% for j in range(i) %}{{ loop.index }}{{ i }}{{ j }} {% endfor %}{{ loop.index }}{% endfor %}",
    "{% for a in [1,2,3] %}{{ loop.cycle('x','y') }}{% endfor %}", "{% for a in [1] %}{% set loop = 1 %}{% endfor %}", "{% break %}", "{% for a in [1] %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}", "{% for a in 1, 2 %}{{ a }}{% endfor %}", "{% for a in [1,2] %}{% set x = a %}{% endfor %}{{ x }}", "{% set x = 0 %}{% for a in [1,2] %}{{ x }}{% set x = a %}{{ x }}{% endfor %}{{ x }}",
    "{% for a in [3,1,2]|sort %}{{ a }}{% endfor %}", "{% for a in range(5, 0, -2) %}{{ a }}{% endfor %}{{ range(3) }}{{ range(1,9,3)|list }}{{ range(5)[1] }}", "{{ range(0,1,0) }}", "{{ range(1000000)|length }}", "{% for a in [1,2]|map('string') %}{{ loop.length }}{{ loop.index }}{{ a }}{% endfor %}", "{{ loop }}|{{ loop is defined }}", "{% for i in [1] %}{{ loop.foo }}{{ loop['index'] }}{% endfor %}",
    # set, namespace, blocks
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set x %}a{{ 1 }}b{% endset %}[{{ x }}]", "{% set x | upper | trim %} a {% endset %}[{{ x }}]", "{% set ns = namespace(a=1, b='x') %}{% for i in [1,2] %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns['b'] }}{{ ns.c }}{{ ns }}", "{% set x = 1 %}{% set x.y = 2 %}", "{% set ns = namespace({'q': 2}) %}{{ ns.q }}", "{% set ns = namespace(_a=1) %}",
    "{% if true %}{% set x = 5 %}{% endif %}{{ x }}", "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}", "{% set a = 1 %}{% with a = 2, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% filter upper %}ab{{ 'c' }}{% endfilter %}", "{% filter replace('a','b')|title %}aa xa{% endfilter %}", "{% generation %}x{% set q = 1 %}{% endgeneration %}{{ q }}", "{% set true = 1 %}", "{% set messages = messages[1:] %}{{ messages|length }}", "{% set (a, b) = [1, 2] %}{{ b }}{{ a }}",
    "{% for a in [1] %}{{ bos_token }}{% endfor %}{% set bos_token = 'x' %}{{ bos_token }}", "{% if false %}{% set bos_token = 'x' %}{% endif %}{{ bos_token }}", "{% if true %}{% set bos_token = 'x' %}{% elif 1 %}{% set bos_token = 'y' %}{% else %}{% set bos_token = 'z' %}{% endif %}{{ bos_token }}", "{% macro m() %}{{ bos_token }}{% endmacro %}{{ m() }}{% set bos_token = 'x' %}{{ m() }}", "{% for i in [1,2] %}{% for j in [1] %}[{{ bos_token }}]{% endfor %}{% set bos_token = 'x' %}{% endfor %}",
    "{{ bos_token }}{% for i in [1,2] %}{% for j in [1] %}[{{ bos_token }}]{% endfor %}{% set bos_token = 'x' %}{% endfor %}", "{% set bos_token = bos_token ~ 'x' %}{{ bos_token }}",
    # macros
    "{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=4, a=5) }} {{ m() }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(c=2) }}", "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}", "{% macro m() %}{{ x }}{% endmacro %}{% set x = 5 %}{{ m() }}", "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}in{% endcall %}", "{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) m() %}{{ a }}{{ b }}{% endcall %}", "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}", "{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(1) }}", "{% macro m(a=1, b) %}{% endmacro %}", "{% macro m() %}  a  {% endmacro %}[{{ m()|trim }}]{{ m() is string }}", "{{ m() }}{% macro m() %}{% endmacro %}", "{% for i in [1,2] %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}", "{% macro m(x) %}{% set y = x %}{{ y }}{% endmacro %}{{ m(1) }}{{ y }}",
    # subscripts
    "{{ 'abcdef'[1:3] }}{{ 'abcdef'[::-1] }}{{ 'abcdef'[-2:] }}{{ 'abcdef'[::2] }}{{ 'abc'[5:] }}{{ 'abc'[1] }}{{ 'abc'[-1] }}|{{ 'abc'[9] }}", "{{ 'আমার'[1:] }}{{ 'আমার'[0] }}{{ 'আমার'|length }}{{ 'আমার'[::-1] }}", "{{ [1,2,3][::-1] }}{{ [1,2,3][-9:2] }}{{ [1,2,3][2:0:-1] }}{{ (1,2,3)[1:] }}", "{{ [1,2][0:2:0] }}", "{{ [1,2].0 }}{{ [[1],[2]].1.0 }}", "{{ {'a':1}.a }}{{ {'a':1}['a'] }}{{ {1:2}[1] }}{{ {1:2}[1.0] }}", "{{ {'items':1}.items() }}{{ {'items':1}['items'] }}", "{{ [1,2]['0'] }}|{{ {'a':1}[[1]] }}", "{{ 'abc'['upper']() }}", "{{ 1[0] }}|{{ none[0] }}", "{{ {[1]: 2} }}"  , "{{ bos_token['x':] }}", "{{ messages[0][1:2] }}", "{{ [1,2,3][true] }}",
    # methods
    "{{ ' a b '.strip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'xxa'.lstrip('x') }}|{{ 'axx'.rstrip('x') }}", "{{ 'a,b,,c'.split(',') }}{{ ' a  b '.split() }}{{ 'a b c'.split(' ', 1) }}{{ 'a b  c '.split(None, 1) }}{{ 'a b c'.rsplit(' ', 1) }}{{ ''.split() }}{{ ''.split(',') }}{{ ' a b c '.rsplit(None, 1) }}", "{{ 'a'.split('') }}", "{{ 'abc'.startswith('ab') }}{{ 'abc'.endswith(('x','c')) }}{{ 'abc'.startswith('') }}", "{{ 'abcabc'.find('c') }}{{ 'abcabc'.rfind('c') }}{{ 'abc'.find('z') }}{{ 'abc'.index('b') }}{{ 'aaa'.count('a') }}{{ 'aaa'.count('') }}{{ 'আমার'.find('র') }}", "{{ 'abc'.index('z') }}",
    "{{ 'hello world'.title() }}{{ \"they're bill's\".title() }}{{ 'hELLO'.capitalize() }}{{ 'aB'.upper() }}{{ 'aB'.lower() }}{{ 'straße ŉ ﬁ'.upper() }}{{ 'ΑΣ ΑΣΑ Σ'.lower() }}{{ 'ǆ ﬁx'.title() }}{{ 'İ'.lower()|length }}", "{{ 'aXbX'.replace('X','-') }}{{ 'aXbX'.replace('X','-',1) }}{{ 'ab'.replace('','.') }}{{ 'ab'.replace('','.',2) }}", "{{ ','.join(['a','b']) }}{{ ''.join([]) }}", "{{ ','.join([1]) }}", "{{ 'a\\nb\\r\\nc'.splitlines() }}{{ 'a\\n'.splitlines(true) }}", "{{ 'a-b-c'.partition('-') }}{{ 'a-b-c'.rpartition('-') }}{{ 'a'.partition('-') }}", "{{ '12'.isdigit() }}{{ '১২'.isdigit() }}{{ 'ab'.isalpha() }}{{ ''.isalpha() }}{{ ' '.isspace() }}{{ 'AB'.isupper() }}{{ 'ab1'.islower() }}{{ '1'.isupper() }}{{ 'a1'.isalnum() }}", "{{ 'ab'.center(5) }}|{{ 'abc'.center(6,'*') }}|{{ 'ab'.ljust(4,'.') }}{{ 'ab'.rjust(4) }}", "{{ 'abc'.removeprefix('a') }}{{ 'abc'.removesuffix('bc') }}{{ 'abc'.removesuffix('x') }}",
    "{{ {'a':1}.get('a') }}{{ {'a':1}.get('b') }}{{ {'a':1}.get('b', 5) }}{{ {'a':1}.keys()|list }}{{ {'a':1}.values()|list }}{{ {'a':1}.items()|list }}{{ {'a':1}.keys() }}{{ {'a':1}.values() }}{{ {'a':1}.items() }}", "{{ [1].append(2) }}", "{{ {}.update({}) }}", "{{ [1,2,1].count(1) }}{{ [1,2].index(2) }}{{ (1,2).index(1) }}", "{{ ''.__class__.__mro__ }}", "{{ [1].append }}|", "{{ dict(a=1, b=2) }}{{ dict([('x', 1)]) }}{{ dict({'a': 1}, b=2) }}",
    # tests
    "{{ 1 is odd }}{{ 2 is even }}{{ 1 is number }}{{ 1.0 is float }}{{ 1 is integer }}{{ true is integer }}{{ true is boolean }}{{ true is number }}{{ 'a' is string }}{{ {} is mapping }}{{ [] is sequence }}{{ 'a' is sequence }}{{ {} is sequence }}{{ 1 is iterable }}{{ 'a' is iterable }}{{ none is none }}", "{{ 1 is eq 1 }}{{ 1 is ne 2 }}{{ 1 is lt 2 }}{{ 2 is gt(1) }}{{ 1 is equalto 1 }}{{ 4 is divisibleby 2 }}{{ 'a' is in 'abc' }}{{ 1 is not in [2] }}{{ 1 is sameas 1.0 }}{{ true is true }}{{ 1 is true }}{{ 'a' is lower }}{{ 'A' is upper }}{{ false is false }}", "{{ 1 is none is none }}", "{{ 1 is foo }}", "{% if false %}{{ 1 is foo }}{{ 1|bar }}{% endif %}x", "{{ 1|bar }}", "{{ 1 if true else 2|bar }}", "{{ not x is defined and 1 }}", "{{ 1 is defined and 2 is even or false }}", "{{ range is callable }}{{ 'a' is callable }}", "{{ range(3) is sequence }}{{ {}.keys() is sequence }}{{ [1]|map('string') is iterable }}{{ [1]|map('string') is sequence }}",
    # filters
    "{{ ' a '|trim }}|{{ 'xax'|trim('x') }}|{{ 5|trim }}", "{{ [3,1,2]|sort }}{{ ['b','A','c']|sort }}{{ ['b','A']|sort(case_sensitive=true) }}{{ [1,2]|sort(reverse=true) }}{{ [{'a':2},{'a':1}]|sort(attribute='a') }}", "{{ [1,'a']|sort }}", "{{ [{},{}]|sort }}", "{{ [{},{1:2}]|sort }}", "{{ [none,none]|sort }}", "{{ [{},{}]|max }}", "{{ 'hello world-foo (bar'|title }}{{ 'ABC'|capitalize }}{{ 'it\\'s'|title }}", "{{ [1,2,3]|first }}{{ [1,2,3]|last }}{{ 'abc'|first }}{{ 'abc'|last }}{{ []|first }}|{{ {'a':1}|last }}", "{{ [1,2]|join('-') }}{{ [1,none,'a']|join }}{{ [{'a':1}]|join(',', attribute='a') }}", "{{ [1,2]|length }}{{ 'abc'|count }}{{ {}|length }}", "{{ 5|length }}", "{{ '42'|int }}{{ '4.9'|int }}{{ 'x'|int }}{{ 'x'|int(7) }}{{ none|int }}{{ '0x1f'|int(base=16) }}{{ ' 5 '|int }}{{ '1_0'|int }}{{ '১২'|int }}{{ 3.9|int }}{{ -3.9|int }}{{ true|int }}{{ [1]|int }}", "{{ '1.5'|float }}{{ 'x'|float }}{{ 1|float }}{{ 'inf'|float }}{{ '1e400'|float }}{{ ' 1_0.5 '|float }}{{ '5.'|float }}{{ '.5'|float }}", "{{ 2.5|round }}{{ 3.5|round }}{{ 2.675|round(2) }}{{ 5|round }}{{ 2.1|round(0,'ceil') }}{{ 2.19|round(1,'floor') }}{{ -0.4|round }}",
    "{{ [1,2,3]|map('string')|list }}{{ [{'a':1},{'b':2}]|map(attribute='a')|list }}{{ [{'a':1},{}]|map(attribute='a', default=0)|list }}{{ ['a','b']|map('upper')|join }}{{ ['ab']|map('replace','a','c')|list }}{{ [{'a':{'b':5}}]|map(attribute='a.b')|list }}", "{{ [1,2,3,4]|select('even')|list }}{{ [0,1]|select|list }}{{ [1,2]|reject('odd')|list }}{{ [1,2,3]|select('gt', 1)|list }}{{ [{'a':1},{'a':0}]|selectattr('a')|list }}{{ messages|selectattr('role','equalto','user')|list }}{{ messages|rejectattr('role','==','user')|map(attribute='content')|list }}{{ [1,2]|select('in',[2,3])|list }}", "{{ [1,2,1,'a','A']|unique|list }}{{ [3,1]|min }}{{ [3,1]|max }}{{ ['b','A']|min }}{{ []|max }}|{{ [1,2.5]|sum }}{{ [{'a':1}]|sum(attribute='a') }}{{ [[1],[2]]|sum(start=[]) }}",
    "{{ [1,2,3]|reverse|list }}{{ 'abc'|reverse }}{{ {'b':1,'a':2}|dictsort }}{{ {'b':1,'a':2}|dictsort(by='value') }}{{ {'b':1,'A':2}|dictsort(reverse=true) }}", "{{ 'a\\nb\\n\\nc'|indent }}|{{ 'a\\nb'|indent(2, true) }}|{{ 'a\\n\\nb'|indent('> ', blank=true) }}|{{ 'a\\n'|indent }}|{{ ''|indent }}|{{ 'a\\n\\nb\\n'|indent(1,true,true) }}|", "{{ 'a<b>&\"\\''|e }}{{ 'a'|safe }}{{ ('<'|safe) + '<' }}{{ '<' ~ ('<'|safe) }}{{ ['<'|safe]|join('<') }}{{ ('a'|safe)|tojson }}", "{{ -1|abs }}{{ 1.5|abs }}{{ (-1)|abs }}{{ 'x'|string }}{{ 1|string + 'a' }}{{ [1]|string }}{{ none|string }}", "{{ 'hello world foo bar baz'|truncate(10) }}{{ 'hello world'|truncate(8, true, '', 0) }}{{ 'ab cd'|wordcount }}{{ 'ab'|center(6) }}|", "{{ [1,2,3,4,5]|batch(2)|list }}{{ [1,2,3]|batch(2,'x')|list }}", "{{ x|default }}|{{ ''|default('d') }}|{{ ''|default('d', true) }}|{{ none|default('d') }}|{{ 0|d('z', boolean=true) }}", "{{ {'a':1}|items|list }}{{ x|items|list }}{{ [1]|items|list }}", "{{ [1,2]|list }}{{ 'ab'|list }}{{ {'a':1}|list }}{{ (1,2)|list }}", "{{ {'a':1}|attr('a') }}|{{ {'a':1}|attr('get') is callable }}", "{{ 'a b'|replace(' ','') }}{{ 5|replace('5','6') }}{{ 'aaa'|replace('a','b',2) }}",
    # JSON
    "{{ {'a':[1,2.0,'x',none,true],'b':{}} | tojson }}", "{{ {'a':[1,{'b':[]}],'c':{}} | tojson(indent=2) }}{{ [1,[2]]|tojson(indent=0) }}{{ []|tojson(indent=4) }}", "{{ '<a>&\\'\"\\\\\\n\\t\\x01\\x7fআ😀\\u2028' | tojson }}", "{{ 'আ😀\\x7f' | tojson(true) }}{{ {'b':1,'a':2}|tojson(sort_keys=true) }}{{ {'a':1}|tojson(separators=(',',':')) }}{{ [1,2]|tojson(indent='--') }}", "{{ {1:2, none:3, true:4, 1.5:5}|tojson }}", "{{ (1,2)|tojson }}{{ 1e16|tojson }}{{ 'inf'|float|tojson }}", "{{ range(3)|tojson }}", "{{ {(1,2):3}|tojson }}", "{{ messages|tojson(indent=1) }}",
    # functions
    "{{ raise_exception('no') }}", "{{ strftime_now('%Y-%m-%d %H:%M:%S %a %A %b %B %j %p %I %y %e %-d %%') }}", "{{ strftime_now('%d %B %Y') }}", "{{ nope() }}", "{{ messages[0]['content']() }}", "{{ namespace(**{'a':1}).a }}{{ range(*[1,3])|list }}", "{{ 'x'.replace(old='x', new='y') }}", "{{ bos_token ~ eos_token }}",
    # mistakes
    "{{ }}", "{{ 1", "{% if %}x{% endif %}", "{% if 1 %}x", "{% endif %}", "{% foo %}", "{{ 1 + }}", "{{ (1 }}", "{{ [1, 2 }}", "{# x", "{% raw %}x", "{{ 'a }}", "{{ a b }}", "{{ 1 | }}", "{{ a. }}", "{% for in x %}{% endfor %}", "{% set 1 = 2 %}", "{{ a ! b }}", "{{ f(a=1, 2) }}", "{{ f(a=1, a=2) }}", "{{ é }}", "{{ $ }}", "{% macro m(a, a) %}{% endmacro %}", "{% call x %}{% endcall %}", "{% else %}", "{% for a in b %}{% elif %}{% endfor %}", "}}", "%}", "{{ 1 }} }}", "{%if 1%}a{%else%}b{%endif%}", "{% if 1: %}x{% endif %}", "{% if 1 %}x{% endif x %}", "{{ 007 }}", "{{ a.1.5 }}",
]


def values(rng):
    """Variables of a random program."""
    return {"n": rng.choice([0, 1, 2, 5, -3]), "f": rng.choice([0.5, 2.0, -1.25, 1e20]), "s": rng.choice(["", "abc", "Hello World", "আমি ভাত খাই", " x\ny ", "a'b\"c"]), "t": rng.choice(["", "b", "lo", "ক"]),
            "l": rng.choice([[], [1, 2, 3], ["b", "a", "C"], [3, 1.5, True], [[1], [2, 3]]]), "d": rng.choice([{}, {"a": 1, "b": "x"}, {"k": [1, {"z": None}], "role": "user"}]), "z": None, "b": rng.choice([True, False])}


# Expressions by the kind of their value: $n a number, $s a text, $l a list, $d a mapping, $b a boolean,
# $a anything. One in 200 takes another kind than the one asked for.
GRAMMAR = {
    "n": ["n", "f", "0", "1", "2", "3", "1.5", "-1", "ns.v", "$n + $n", "$n - $n", "$n * $n", "$n / 4", "$n // 3", "$n % 7", "$n ** 2", "-$n", "($n)", "$l | length", "$s | length", "$s | int", "$n | int", "$n | float", "$n | round(1)", "$n | abs", "$s.find($s)", "$s.count('l')",
          "[$n, $n] | max", "[$n, $n] | min", "[1, 2.5, $n] | sum", "$n if $b else $n", "d.get('q', 7)", "loop.index if loop is defined else 0", "$s | wordcount", "$s | float", "range(3)[1]", "$n | round", "namespace(a=$n).a"],
    "s": ["s", "t", "''", "'a'", "'b c'", "\"q'\"", "'\\n'", "'আ'", "bos_token", "$s + $s", "$s ~ $a", "$s * 2", "($s)", "$s | trim", "$s | upper", "$s | lower", "$s | capitalize", "$s | title", "$l | join", "$l | join(', ')", "$a | string", "$l | tojson", "$d | tojson(indent=2)", "$a | default('d')",
          "$s | replace('a', 'bb')", "$s | indent", "$s | indent(2, true)", "$s | reverse", "$s | truncate(5)", "$s | center(9)", "$s.strip()", "$s.lstrip()", "$s.rstrip('c')", "$s.upper()", "$s.lower()", "$s.title()", "$s.capitalize()", "$s.replace('a', t)", "$s.removeprefix('a')", "$s[1:]", "$s[:-1]", "$s[::-1]", "$s[0]", "$s.split('b')[0]",
          "$s.split()[-1]", "($s).split(' ', 1) | last", "m1($a)", "m2(a=$a)", "m2($s, $n)", "messages[0].content", "(messages | last).role", "$s if $b else $s", "$s if $b", "$s.partition('b')[2]", "' '.join(['x', $s])", "$s | first", "$s | last", "$s.ljust(4)", "strftime_now('%d %b %Y')", "{'a': $s}.a", "$d.b", "$s.splitlines() | join('|')"],
    "l": ["l", "[]", "[1, 2]", "['a', 'b']", "(1, 'x')", "messages", "[$a, $a]", "[$n, $n, $n]", "[$s, $s]", "$l[1:]", "$l[::-1]", "$l[:2]", "$l + [$a]", "$s.split()", "$s.split('b')", "$s.rsplit(None, 1)", "$l | list", "$d | list", "$s | list", "$l | map('string') | list", "messages | map(attribute='role') | list", "$l | select | list",
          "$l | reject('none') | list", "$l | select('string') | list", "messages | selectattr('role', 'equalto', 'user') | list", "messages | rejectattr('content') | list", "$d | items | list", "$d.items() | list", "$d.keys() | list", "$d | dictsort", "[$n, $n] | sort", "[$s, $s] | sort(reverse=true)", "[$s, $s, 'a'] | unique | list", "$l | reverse | list", "$l | batch(2) | list",
          "range(3) | list", "$l if $b else $l", "[$s, $s] | map('upper') | list", "($s).splitlines()", "$l | unique | list", "$l * 2"],
    "d": ["d", "{}", "{'a': 1}", "{'a': $a, 'b': $a}", "dict(a=$a)", "messages[0]", "{'k': $l, 1: $s}", "$d if $b else $d"],
    "b": ["b", "true", "false", "$n < $n", "$n >= $n", "$n == $n", "$s == $s", "$s != $s", "$s in $s", "$a in $l", "$s not in $d", "not $a", "$a and $b", "$a or $b", "$a is defined", "$a is not none", "$a is string", "$a is mapping", "$a is sequence", "$a is iterable", "$a is number", "$a is integer", "$a is float", "$a is boolean", "$n is odd", "$n is even",
          "$a is eq(1)", "$a is ne('a')", "$a is in([1, 'a'])", "$n is gt 0", "$n is divisibleby(2)", "$s is lower", "$a is true", "$a is false", "u is undefined", "x is not defined", "$s.startswith('a')", "$s.endswith(t)", "$s.isdigit()", "$s.isalpha()", "$s.isupper()", "$l == $l", "$d == $d", "1 < $n <= 5", "loop.last", "loop.first"],
    "a": ["z", "u", "x", "y", "none", "$l[0]", "$l[-1]", "$l[9]", "$d.nope", "$d['a']", "$d.a", "$l | first", "$l | last", "$a if $b", "($a, $a)", "$a or $a", "$d.get('a')", "ns", "loop.nextitem", "loop.previtem", "$d.keys()", "$d.items()", "[$d, {'a': 2}] | map(attribute='a') | list", "$l | sum", "$l | max", "$l | sort", "$s['a']", "$l.append(1)", "$s | bogus", "$s % $n"],
}


def expression(rng, depth, kind="a"):
    if kind == "a" and rng.random() < 0.8 or rng.random() < 1 / 200:
        kind = rng.choice("nsldb")
    rules = GRAMMAR[kind]
    text = rng.choice(rules if depth > 0 else [r for r in rules if "$" not in r])
    while "$" in text:
        at = text.index("$")
        inner = expression(rng, depth - 1, text[at + 1])
        simple = inner.replace("_", "").isalnum()
        text = text[:at] + (inner if simple or rng.random() < 0.3 else f"({inner})") + text[at + 2:]
    return text


def block(rng, depth, in_loop=False):
    kind = rng.randrange(13) if depth > 0 else rng.randrange(4)
    tag = lambda text: "{%" + rng.choice(["", "", "", "-", "+"]) + " " + text + " " + rng.choice(["", "", "", "-", "+"]) + "%}"
    body = lambda loop=in_loop: "".join(block(rng, depth - 1, loop) for _ in range(rng.randrange(1, 3)))
    if kind == 0:
        return rng.choice(["text", " ", "\n", "  \n ", "\n\t", "a\n", "x  ", "\n\n", "{# note #}", "{#- note -#}\n", "}", "{", "আ "])
    if kind < 3:
        return "{{" + rng.choice(["", "", "-"]) + " " + expression(rng, 2) + " " + rng.choice(["", "", "-"]) + "}}"
    if kind == 3:
        return tag(rng.choice([f"set {rng.choice(['x', 'y', 'u'])} = {expression(rng, 2)}", f"set s = {expression(rng, 2, 's')}", f"set x, y = {expression(rng, 1)}, {expression(rng, 1)}"]))
    if kind in (4, 5):
        text = tag("if " + expression(rng, 2, "b")) + body()
        if rng.random() < 0.4:
            text += tag("elif " + expression(rng, 2, "b")) + body()
        if rng.random() < 0.5:
            text += tag("else") + body()
        return text + tag("endif")
    if kind in (6, 7, 8):
        head = rng.choice(["for x, y in d.items()", "for k, y in [[1, 2], [3, 4]]", "for y, x in d | dictsort"]) if rng.random() < 0.2 else f"for {rng.choice(['x', 'y', 'k'])} in {rng.choice(['l', 'd', 's', 'messages', 'range(3)', '[1,2,3]', expression(rng, 2, 'l')])}"
        if rng.random() < 0.25:
            head += " if " + expression(rng, 1, "b")
        text = tag(head) + body(True)
        if rng.random() < 0.2:
            text += tag("else") + body()
        return text + tag("endfor")
    if kind == 9:
        return tag("set " + rng.choice(["x", "y"]) + rng.choice(["", " | upper", " | trim | title"])) + body() + tag("endset")
    if kind == 10:
        return tag("set ns.v = " + rng.choice(["ns.v + 1", expression(rng, 1, "n")]))
    if kind == 11 and in_loop:
        return tag("if " + expression(rng, 1, "b")) + tag(rng.choice(["break", "continue"])) + tag("endif")
    return rng.choice([tag("filter upper") + body() + tag("endfilter"), tag("with u = " + expression(rng, 1)) + body() + tag("endwith"), tag("raw") + "{{ x }}\n" + tag("endraw"),
                       tag("generation") + body(False) + tag("endgeneration"), tag("macro m3(p, q=" + expression(rng, 1) + ")") + "{{ p }}{{ q }}" + body(False) + tag("endmacro") + "{{ m3(" + expression(rng, 1) + ") }}",
                       tag("call m4()") + body(False) + tag("endcall")])


def program(rng):
    head = "{% set ns = namespace(v=0) %}{% macro m1(a) %}<{{ a }}>{% endmacro %}{% macro m2(a, b='B') %}{{ a }}{{ b }}{% endmacro %}{% macro m4() %}({{ caller() }}){% endmacro %}"
    return (head if rng.random() < 0.9 else "") + "".join(block(rng, 3) for _ in range(rng.randrange(1, 5)))
