using System.Globalization;
using System.Text;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>Reads a query string as PostgREST does, within bounds.</summary>
internal static class RestQueryReader
{
    private const int MaxParameters = 100;
    private const int MaxDepth = 10;
    private const int MaxCommas = 2000;

    private static readonly string[] Reserved = ["select", "columns", "on_conflict", "apikey"];
    private static readonly string[] ReservedAnywhere = ["order", "limit", "offset", "and", "or"];

    public static RestQuery Read(string queryString)
    {
        var all = Split(queryString);
        if (all.Count > MaxParameters)
        {
            throw RestError.TooMuch($"at most {MaxParameters} parameters");
        }
        foreach (var (key, value) in all)
        {
            CheckShape(key);
            CheckShape(value ?? "");
        }
        var given = all.Where(pair => pair.Value is not null).Select(pair => (pair.Key, Value: pair.Value!)).ToList();
        var filters = given.Where(pair => !Ends(pair.Key, ReservedAnywhere) && !Reserved.Contains(pair.Key)).ToList();
        // In the order in which PostgREST reads them, so that the first fault is the same.
        var order = given.Where(pair => Ends(pair.Key, "order")).Select(pair => RestGrammar.ReadOrder(pair.Key, pair.Value)).ToList();
        var logic = given.Where(pair => Ends(pair.Key, "and", "or")).Select(pair => RestGrammar.ReadLogic(pair.Key, pair.Value)).ToList();
        var columns = Find(all, "columns") is { } list ? RestGrammar.ReadColumns("columns", list) : null;
        var select = RestGrammar.ReadSelect(Find(all, "select") ?? "*");
        var read = filters.ConvertAll(pair => RestGrammar.ReadFilter(pair.Key, pair.Value));
        var onConflict = Find(all, "on_conflict") is { } keys ? RestGrammar.ReadColumns("on_conflict", keys) : null;
        return new()
        {
            Select = select,
            Filters = read,
            Logic = logic,
            Order = order,
            Ranges = Ranges(given),
            Columns = columns,
            OnConflict = onConflict,
            FilterKeys = filters.Select(pair => pair.Key).ToHashSet(StringComparer.Ordinal),
            Canonical = string.Join(
                '&',
                all.Where(pair => pair.Key != "apikey")
                    .OrderBy(pair => pair.Key, StringComparer.Ordinal)
                    .Select(pair => $"{Encode(pair.Key)}={Encode(pair.Value ?? "")}")
            ),
        };
    }

    private static string? Find(List<(string Key, string? Value)> all, string key) => all.FirstOrDefault(pair => pair.Key == key).Value;

    private static bool Ends(string key, params string[] words) => words.Contains(key[(key.LastIndexOf('.') + 1)..]);

    private static string Encode(string text) => Uri.EscapeDataString(text).Replace("%20", "+", StringComparison.Ordinal);

    private static Dictionary<string, RowRange> Ranges(List<(string Key, string Value)> given)
    {
        var ranges = new Dictionary<string, RowRange>(StringComparer.Ordinal);
        foreach (var (key, value) in given.Where(pair => Ends(pair.Key, "limit")))
        {
            ranges[key] = RowRange.All.AtMost(Number(value));
        }
        foreach (var (key, value) in given.Where(pair => Ends(pair.Key, "offset")))
        {
            var name = key[..^"offset".Length] + "limit";
            var offset = Number(value) ?? 0;
            ranges[name] = ranges.TryGetValue(name, out var limit) ? new(offset, offset + (limit.Limit ?? 0) - 1) : new(offset, null);
        }
        return ranges;
    }

    private static long? Number(string text) =>
        long.TryParse(
            text,
            NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite,
            CultureInfo.InvariantCulture,
            out var number
        ) && !text.Contains('+', StringComparison.Ordinal)
            ? Math.Clamp(number, int.MinValue, uint.MaxValue)
            : null;

    /// <summary>What is nested too deeply or too long a list is refused before it is understood.</summary>
    private static void CheckShape(string text)
    {
        var depth = 0;
        var commas = 0;
        foreach (var each in text)
        {
            depth +=
                each == '(' ? 1
                : each == ')' ? -1
                : 0;
            commas += each == ',' ? 1 : 0;
            if (depth > MaxDepth)
            {
                throw RestError.TooMuch($"at most {MaxDepth} parentheses inside each other");
            }
            if (commas > MaxCommas)
            {
                throw RestError.TooMuch($"at most {MaxCommas} commas in a parameter");
            }
            if (each == '\0')
            {
                throw new RestError(400, "22021", "invalid byte sequence for encoding \"UTF8\": 0x00");
            }
        }
    }

    private static List<(string Key, string? Value)> Split(string queryString)
    {
        var all = new List<(string, string?)>();
        foreach (var part in queryString.TrimStart('?').Split('&', ';'))
        {
            if (part.Length > 0)
            {
                var equals = part.IndexOf('=', StringComparison.Ordinal);
                all.Add(equals < 0 ? (Decode(part), null) : (Decode(part[..equals]), Decode(part[(equals + 1)..])));
            }
        }
        return all;
    }

    private static string Decode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal) && !text.Contains('+', StringComparison.Ordinal))
        {
            return text;
        }
        var source = Encoding.UTF8.GetBytes(text);
        var bytes = new List<byte>(source.Length);
        for (var at = 0; at < source.Length; at++)
        {
            if (source[at] == '%' && at + 2 < source.Length && char.IsAsciiHexDigit((char)source[at + 1]) && char.IsAsciiHexDigit((char)source[at + 2]))
            {
                bytes.Add(Convert.ToByte(text.Length == source.Length ? text.Substring(at + 1, 2) : Encoding.ASCII.GetString(source, at + 1, 2), 16));
                at += 2;
            }
            else
            {
                bytes.Add(source[at] == '+' ? (byte)' ' : source[at]);
            }
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }
}
