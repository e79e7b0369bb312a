using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Reelbase.Server.Features.Supabase.Realtime;

/// <summary>Why a join is refused, in words for the client's developer.</summary>
internal sealed class JoinRefusedException(string reason) : Exception(reason);

/// <summary>A filter of <c>postgres_changes</c>: conditions that all have to hold, in the form <c>column=op.value,column=not.op.value</c>.</summary>
internal sealed class ChangeFilter
{
    private const int MaxLength = 4096;
    private const int MaxValues = 100;

    /// <summary>Comparing takes the product of the pattern's and the text's lengths, for every change.</summary>
    private const int MaxPatternLength = 256;

    private readonly List<Condition> _conditions = [];

    private sealed record Condition(string Column, string Operator, bool IsNegated, IReadOnlyList<object?> Values);

    /// <summary>Reads a filter.</summary>
    /// <param name="text">As the client sent it.</param>
    /// <param name="types">The table's columns and their types.</param>
    /// <exception cref="JoinRefusedException">It cannot be understood, or names a column that is not there.</exception>
    public static ChangeFilter Read(string text, IReadOnlyDictionary<string, string> types)
    {
        if (text.Length > MaxLength)
        {
            throw new JoinRefusedException($"A filter may have {MaxLength} characters");
        }
        var filter = new ChangeFilter();
        foreach (var part in Split(text))
        {
            filter._conditions.Add(ReadCondition(part, types));
        }
        return filter;
    }

    /// <summary>The keys that a row must have one of, when the filter says so; null when it may be any row.</summary>
    public IReadOnlyList<Guid>? Keys(string key) =>
        _conditions.Find(condition => condition.Column == key && !condition.IsNegated && condition.Operator is "eq" or "in")?.Values.OfType<Guid>().ToList();

    /// <summary>Whether a row fits. Of a row that is gone only its key is known, and nothing holds for what is not known.</summary>
    public bool Fits(string key, Guid id, JsonElement record) =>
        _conditions.TrueForAll(condition =>
        {
            if (condition.Column == key)
            {
                return Holds(condition, id);
            }
            return record.ValueKind == JsonValueKind.Object
                && record.TryGetProperty(condition.Column, out var element)
                && Holds(condition, Value(element, condition.Values[0]));
        });

    private static Condition ReadCondition(string text, IReadOnlyDictionary<string, string> types)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var column = equals > 0 ? text[..equals].Trim() : "";
        if (!types.TryGetValue(column, out var type))
        {
            throw new JoinRefusedException(equals > 0 ? $"There is no column {column} to filter by" : $"A filter is column=operator.value, not {text}");
        }
        var rest = text[(equals + 1)..];
        var isNegated = rest.StartsWith("not.", StringComparison.Ordinal);
        rest = isNegated ? rest[4..] : rest;
        var dot = rest.IndexOf('.', StringComparison.Ordinal);
        var (name, value) = dot > 0 ? (rest[..dot], rest[(dot + 1)..]) : ("", "");
        // Where a file lies is nobody's business, and a link is not what is stored.
        if (name != "is" && (type is "json" or "jsonb" || ChangeRecord.Buckets.ContainsKey(column)))
        {
            throw new JoinRefusedException($"{column} cannot be filtered by");
        }
        return name switch
        {
            "eq" or "neq" or "lt" or "lte" or "gt" or "gte" => new(column, name, isNegated, [Parse(column, type, Unquote(value))]),
            "isdistinct" => new(column, name, isNegated, [value == "null" ? null : Parse(column, type, Unquote(value))]),
            "is" when value is "null" or "true" or "false" => new(column, name, isNegated, [value == "null" ? null : value == "true"]),
            "like" or "ilike" when type is "text" or "varchar" => new(column, name, isNegated, [ReadPattern(name, Unquote(value))]),
            "in" when value is ['(', .., ')'] => new(column, name, isNegated, ReadList(column, type, value[1..^1])),
            _ => throw new JoinRefusedException($"{rest} is no condition that is offered for {column}"),
        };
    }

    private static string ReadPattern(string name, string pattern) =>
        pattern.Length <= MaxPatternLength ? pattern : throw new JoinRefusedException($"A pattern of {name} has at most {MaxPatternLength} characters");

    private static List<object?> ReadList(string column, string type, string text)
    {
        var values = Split(text).ConvertAll<object?>(value => Parse(column, type, Unquote(value)));
        return values.Count is > 0 and <= MaxValues ? values : throw new JoinRefusedException($"A list has 1 to {MaxValues} values");
    }

    /// <summary>Parts between commas that stand neither in quotes nor in brackets.</summary>
    private static List<string> Split(string text)
    {
        var parts = new List<string>();
        var (depth, isQuoted, from) = (0, false, 0);
        for (var at = 0; at < text.Length; at++)
        {
            switch (text[at])
            {
                case '\\' when isQuoted:
                    at++;
                    break;
                case '"':
                    isQuoted = !isQuoted;
                    break;
                case '(' when !isQuoted:
                    depth++;
                    break;
                case ')' when !isQuoted:
                    depth--;
                    break;
                case ',' when !isQuoted && depth == 0:
                    parts.Add(text[from..at]);
                    from = at + 1;
                    break;
            }
        }
        parts.Add(text[from..]);
        return parts;
    }

    private static string Unquote(string text)
    {
        if (text is not ['"', .., '"'] || text.Length < 2)
        {
            return text;
        }
        var plain = new StringBuilder();
        for (var at = 1; at < text.Length - 1; at++)
        {
            at += text[at] == '\\' && at < text.Length - 2 ? 1 : 0;
            plain.Append(text[at]);
        }
        return plain.ToString();
    }

    private static object Parse(string column, string type, string text) =>
        type switch
        {
            "uuid" when Guid.TryParse(text, out var id) => id,
            "int2"
            or "int4"
            or "int8"
            or "numeric"
            or "float4"
            or "float8" when decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
            "bool" when bool.TryParse(text, out var flag) => flag,
            "timestamptz"
            or "timestamp"
            or "date" when DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) => time.UtcDateTime,
            "uuid" or "int2" or "int4" or "int8" or "numeric" or "float4" or "float8" or "bool" or "timestamptz" or "timestamp" or "date" =>
                throw new JoinRefusedException($"{column} is of type {type}, which {text} is not"),
            _ => text,
        };

    /// <summary>What a column of a row is, in the form of what it is compared with.</summary>
    private static object? Value(JsonElement element, object? like) =>
        element.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Number => element.TryGetDecimal(out var number) ? number : null,
            JsonValueKind.String when like is Guid => element.TryGetGuid(out var id) ? id : null,
            JsonValueKind.String when like is DateTime => element.TryGetDateTimeOffset(out var time) ? time.UtcDateTime : null,
            JsonValueKind.String => element.GetString(),
            _ => element.GetRawText(),
        };

    private static bool Holds(Condition condition, object? value)
    {
        var wanted = condition.Values[0];
        switch (condition.Operator)
        {
            case "is":
                return (wanted is null ? value is null : Equals(value, wanted)) != condition.IsNegated;
            case "isdistinct":
                return !Equals(value, wanted) != condition.IsNegated;
        }
        if (value is null)
        {
            // As in SQL: nothing is known of it, so that neither a condition nor its opposite holds.
            return false;
        }
        var holds = condition.Operator switch
        {
            "like" => IsLike(value as string ?? "", (string)wanted!, StringComparison.Ordinal),
            "ilike" => IsLike(value as string ?? "", (string)wanted!, StringComparison.OrdinalIgnoreCase),
            "in" => condition.Values.Contains(value),
            "eq" => Equals(value, wanted),
            "neq" => !Equals(value, wanted),
            _ when Compare(value, wanted!) is { } order => condition.Operator switch
            {
                "lt" => order < 0,
                "lte" => order <= 0,
                "gt" => order > 0,
                _ => order >= 0,
            },
            _ => false,
        };
        return holds != condition.IsNegated;
    }

    private static int? Compare(object value, object wanted) =>
        (value, wanted) switch
        {
            (string left, string right) => string.CompareOrdinal(left, right),
            (IComparable left, _) when left.GetType() == wanted.GetType() => left.CompareTo(wanted),
            _ => null,
        };

    /// <summary>LIKE with % and _, in time that grows with the product of the two lengths at most.</summary>
    private static bool IsLike(string text, string pattern, StringComparison comparison)
    {
        var (at, wanted, star, back) = (0, 0, -1, 0);
        while (at < text.Length)
        {
            if (wanted < pattern.Length && pattern[wanted] == '%')
            {
                (star, back) = (wanted++, at);
            }
            else if (wanted < pattern.Length && (pattern[wanted] == '_' || text.AsSpan(at, 1).Equals(pattern.AsSpan(wanted, 1), comparison)))
            {
                at++;
                wanted++;
            }
            else if (star >= 0)
            {
                (wanted, at) = (star + 1, ++back);
            }
            else
            {
                return false;
            }
        }
        return pattern.AsSpan(wanted).TrimStart('%').IsEmpty;
    }
}
