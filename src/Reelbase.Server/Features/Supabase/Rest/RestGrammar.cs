using static Reelbase.Server.Features.Supabase.Rest.Read;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>The grammar of PostgREST's query parameters.</summary>
internal static class RestGrammar
{
    private static readonly Reader<string> Blank = ManyChars(Where(each => each is ' ' or '\t').Named(""));
    private static readonly Reader<char> Delimiter = Char('.').Named("delimiter (.)");
    private static readonly Reader<string> Identifier = Many1Chars(Either(Letter, Digit, Where(each => "_ $".Contains(each, StringComparison.Ordinal))))
        .Select(text => text.Trim());

    private static readonly Reader<string> QuotedValue =
        from open in Char('"')
        from text in ManyChars(NoneOf("\\\"").Or(from slash in Char('\\') from any in Where(_ => true) select any))
        from close in Char('"')
        select text;

    private static readonly Reader<string> Name = QuotedValue.Or(SeparatedByDash(Identifier)).Named("field name (* or [a..z0..9_$])");

    private static readonly Reader<string> JsonKey = QuotedValue
        .Or(SeparatedByDash(Many1Chars(NoneOf("(-:.,>)")).Select(text => text.Trim())))
        .Named("any non reserved character different from: .,>()");

    private static readonly Reader<JsonStep> JsonPathStep =
        from arrow in Try(Word("->>")).Or(Try(Word("->")))
        from operand in Try(
                (
                    from sign in Char('-').Select(_ => "-").Or(Value("+"))
                    from digits in Many1Chars(Digit)
                    from end in Either(
                        Try(Ahead(Word("->")).Select(_ => true)),
                        Try(Ahead(Word("::")).Select(_ => true)),
                        Try(Ahead(Word(".")).Select(_ => true)),
                        Try(Ahead(Word(",")).Select(_ => true)),
                        Try(End)
                    )
                    select (Text: sign + digits, IsIndex: true)
                )
            )
            .Or(Try(JsonKey.Select(key => (Text: key, IsIndex: false))))
        select new JsonStep(arrow == "->>", operand.Text, operand.IsIndex);

    private static readonly Reader<List<JsonStep>> JsonPath = Many(JsonPathStep);

    private static readonly Reader<FieldName> Field = Lexeme(from name in Name from path in JsonPath select new FieldName(name, path));

    private static readonly Reader<string> Alias = from name in Name from colon in Char(':') from single in NotBefore(Char(':')) select name;

    private static readonly Reader<string> CastTo = from colons in Word("::") from type in Identifier select type;

    private static readonly Reader<bool> SelectEnd = Either(Try(Ahead(Word(")")).Select(_ => true)), Try(Ahead(Word(",")).Select(_ => true)), Try(End));

    private static readonly Reader<string> Aggregate = Either(Word("sum"), Word("avg"), Word("count"), Try(Word("max")), Try(Word("min")));

    private static readonly Reader<SelectItem> SelectedField = Lexeme(
        Either(
            Try(from star in Word("*") from end in SelectEnd select (SelectItem)new SelectField(new("*", []), null, null, null, null)),
            Try(
                from alias in Maybe(Try(Alias))
                from count in Word("count()")
                from cast in Maybe(CastTo)
                from end in SelectEnd
                select (SelectItem)new SelectField(new("*", []), "count", cast, null, alias)
            ),
            from alias in Maybe(Try(Alias))
            from field in Field
            from cast in Maybe(CastTo)
            from aggregate in Maybe(Try(from dot in Char('.') from aggregate in Aggregate from call in Word("()") select aggregate))
            from aggregateCast in Maybe(CastTo)
            from end in SelectEnd
            select (SelectItem)new SelectField(field, aggregate, aggregateCast, cast, alias)
        )
    );

    private static readonly Reader<string> EmbedParameter =
        from mark in Char('!')
        from value in Either(Try(Word("left")), Try(Word("inner")), Try(Name.Select(name => "=" + name)))
        select value;

    private static readonly Reader<(string? Hint, bool IsInner)> EmbedParameters =
        from first in Maybe(EmbedParameter)
        from second in Maybe(EmbedParameter)
        let hint = new[] { first, second }.FirstOrDefault(each => each?.StartsWith('=') is true)
        select (hint?[1..], new[] { first, second }.FirstOrDefault(each => each is "left" or "inner") == "inner");

    private static readonly Reader<SelectRelation> Relation = Lexeme(
        from alias in Maybe(Try(Alias))
        from name in Name
        from notCount in name == "count" ? Nothing<bool>() : Value(true)
        from parameters in EmbedParameters
        from open in Try(Ahead(Word("(")))
        select new SelectRelation(name, alias, parameters.Hint, parameters.IsInner, false, [])
    );

    private static readonly Reader<SelectRelation> Spread = Lexeme(
        from dots in Word("...")
        from name in Name
        from parameters in EmbedParameters
        from open in Try(Ahead(Word("(")))
        select new SelectRelation(name, null, parameters.Hint, parameters.IsInner, true, [])
    );

    private static readonly Reader<List<SelectItem>> Forest = Later(() => Tree!).SeparatedBy(Lexeme(Char(',')));

    private static readonly Reader<SelectItem> Tree = Either(WithItems(Try(Spread)), WithItems(Try(Relation)), SelectedField);

    private static readonly Reader<string> LogicValue = Either(
        Try(from quoted in QuotedValue from end in NotBefore(NoneOf(",)")) select quoted),
        Try(from open in Word("{") from inner in ManyChars(NoneOf("{}")) from close in Word("}") select open + inner + close),
        ManyChars(NoneOf(",)"))
    );

    private static readonly Reader<List<string>> ListValue =
        from open in Lexeme(Char('('))
        from values in Try(from quoted in QuotedValue from end in NotBefore(NoneOf(",)")) select quoted).Or(ManyChars(NoneOf(",)"))).SeparatedBy1(Char(','))
        from close in Lexeme(Char(')'))
        select values;

    private static readonly Reader<string> IsValue = Either([.. new[] { "null", "not_null", "true", "false", "unknown" }.Select(word => Try(AnyCase(word)))])
        .Named("isVal: (null, not_null, true, false, unknown)");

    private static readonly Reader<string> PlainOperator = OneOf("neq", "cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj")
        .Named("unknown single value operator");

    private static readonly Reader<string> QuantifiedOperator = OneOf("eq", "gte", "gt", "lte", "lt", "like", "ilike", "match", "imatch")
        .Named("unknown single value operator");

    private static readonly Reader<Condition> LogicTree = Later(() =>
        Try(from field in Field from dot in Delimiter from comparison in ComparisonOf(LogicValue) select (Condition)new Filter(field, comparison))
            .Or(
                from not in Try(from word in Word("not") from dot in Delimiter select true).Or(Value(false)).Named("negation operator (not)")
                from kind in Try(Word("and")).Or(Word("or")).Named("logic operator (and, or)")
                from open in Lexeme(Char('('))
                from conditions in LogicTree!.SeparatedBy1(Lexeme(Char(',')))
                from close in Lexeme(Char(')'))
                select (Condition)new Group(not, kind == "and", conditions)
            )
    );

    private static readonly Reader<bool> OrderEnd = Try(Ahead(Char(',')).Select(_ => true)).Or(Try(End));

    private static readonly Reader<string> Direction = AfterDot("asc").Or(AfterDot("desc"));

    private static readonly Reader<string?> Nulls = (
        from nulls in Maybe(AfterDot("nullsfirst").Or(AfterDot("nullslast")))
        from end in OrderEnd
        select nulls
    ).Or(OrderEnd.Select(_ => (string?)null));

    private static readonly Reader<OrderTerm> RelatedTerm =
        from relation in Name
        from open in Char('(')
        from field in Field
        from close in Char(')')
        from direction in Maybe(Direction)
        from nulls in Nulls
        select Term(relation, field, direction, nulls);

    private static readonly Reader<OrderTerm> PlainTerm =
        from field in Field
        from direction in Maybe(Direction)
        from nulls in Nulls
        select Term(null, field, direction, nulls);

    private static readonly Reader<List<OrderTerm>> OrderList = Lexeme(Try(RelatedTerm).Or(PlainTerm)).SeparatedBy1(Char(','));

    private static readonly Reader<(List<string> Names, List<JsonStep> Path)> TreePath =
        from names in Name.SeparatedBy1(Delimiter)
        from path in JsonPath
        select (names, path);

    /// <summary>The value of <c>select</c>.</summary>
    public static IReadOnlyList<SelectItem> ReadSelect(string value) => Run(Forest, $"failed to parse select parameter ({value})", value);

    /// <summary><c>column=op.value</c>.</summary>
    public static At<Filter> ReadFilter(string key, string value)
    {
        var (names, path) = Run(TreePath, $"failed to parse tree path ({key})", key);
        var comparison = Run(ComparisonOf(Read.Rest), $"failed to parse filter ({value})", value);
        return new(names[..^1], new(new(names[^1], path), comparison));
    }

    /// <summary><c>order</c>, of the table or of an embedded resource.</summary>
    public static At<IReadOnlyList<OrderTerm>> ReadOrder(string key, string value)
    {
        var (names, _) = Run(TreePath, $"failed to parse tree path ({key})", key);
        return new(names[..^1], Run(OrderList, $"failed to parse order ({value})", value));
    }

    /// <summary><c>and</c>, <c>or</c>, of the table or of an embedded resource.</summary>
    public static At<Condition> ReadLogic(string key, string value)
    {
        var names = Run(Name.SeparatedBy1(Delimiter), $"failed to parse logic path ({key})", key);
        var kind = names.Contains("not") ? "not." + names[^1] : names[^1];
        return new([.. names[..^1].Where(name => name != "not")], Run(LogicTree, $"failed to parse logic tree ({value})", kind + value));
    }

    /// <summary>The path of a <c>limit</c>.</summary>
    public static IReadOnlyList<string> ReadPath(string key) => Run(TreePath, $"failed to parse tree path ({key})", key).Names[..^1];

    /// <summary><c>columns</c> or <c>on_conflict</c>.</summary>
    public static IReadOnlyList<string> ReadColumns(string parameter, string value) =>
        Run(Name.SeparatedBy1(Lexeme(Char(','))), $"failed to parse {parameter} parameter ({value})", value);

    private static Reader<T> Lexeme<T>(Reader<T> reader) => from before in Blank from value in reader from after in Blank select value;

    private static Reader<string> SeparatedByDash(Reader<string> part) =>
        part.SeparatedBy1(Try(from dash in Char('-') from arrow in NotBefore(Char('>')) select dash)).Select(parts => string.Join('-', parts));

    private static Reader<SelectItem> WithItems(Reader<SelectRelation> relation) =>
        from head in relation
        from open in Char('(')
        from items in Later(() => Forest)
        from close in Char(')')
        select (SelectItem)(head with { Items = items });

    private static Reader<string> OneOf(params string[] words) => Either([.. words.Select(word => Try(Word(word)))]);

    private static Reader<string> AnyCase(string word) =>
        word.Select(letter => Char(letter).Or(Char(char.ToUpperInvariant(letter))))
            .Aggregate(Value(""), (read, next) => from text in read from letter in next select text + letter)
            .Select(_ => word);

    private static Reader<string> AfterDot(string word) => Try(from dot in Delimiter from found in Word(word) select found);

    private static OrderTerm Term(string? relation, FieldName field, string? direction, string? nulls) =>
        new(relation, field, direction is null ? null : direction == "desc", nulls is null ? null : nulls == "nullsfirst");

    private static Reader<Comparison> ComparisonOf(Reader<string> value) =>
        from not in Try(from word in Word("not") from dot in Delimiter select true).Or(Value(false))
        from comparison in Either(
                from word in Try(Keyword("in"))
                from values in ListValue
                select new Comparison(false, OperatorKind.In, "in", null, "", values),
                from word in Try(Keyword("is"))
                from operand in IsValue
                select new Comparison(false, OperatorKind.Is, "is", null, operand, []),
                from word in Try(Keyword("isdistinct"))
                from operand in value
                select new Comparison(false, OperatorKind.IsDistinct, "isdistinct", null, operand, []),
                Try(
                    from word in OneOf("fts", "plfts", "phfts", "wfts")
                    from language in Maybe(Try(Parenthesised(Identifier)))
                    from dot in Delimiter
                    from operand in value
                    select new Comparison(false, OperatorKind.TextSearch, word, language, operand, [])
                ),
                Try(
                    from word in PlainOperator
                    from dot in Delimiter
                    from operand in value
                    select new Comparison(false, OperatorKind.Plain, word, null, operand, [])
                ),
                Try(
                    from word in QuantifiedOperator
                    from modifier in Maybe(Try(Parenthesised(Try(Word("any")).Or(Word("all")))))
                    from dot in Delimiter
                    from operand in value
                    select new Comparison(false, OperatorKind.Quantified, word, modifier, operand, [])
                )
            )
            .Named("operator (eq, gt, ...)")
        select comparison with
        {
            Not = not,
        };

    private static Reader<string> Keyword(string word) => from found in Word(word) from dot in Delimiter select found;

    private static Reader<string> Parenthesised(Reader<string> inner) => from open in Char('(') from value in inner from close in Char(')') select value;
}
