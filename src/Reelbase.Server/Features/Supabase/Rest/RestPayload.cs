using System.Text;
using System.Text.Json;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>The rows that a client sends.</summary>
/// <param name="Json">An object or an array of objects.</param>
/// <param name="Columns">The columns that they name.</param>
/// <param name="IsObject">Whether it is one object.</param>
internal sealed record RestPayload(string Json, IReadOnlyList<string> Columns, bool IsObject)
{
    private const int MaxRows = 1000;

    /// <summary>Reads a body as JSON, CSV or a form.</summary>
    /// <exception cref="RestError">PGRST102.</exception>
    public static RestPayload Read(byte[] body, string? contentType, IReadOnlyList<string>? columns)
    {
        var type = (contentType ?? "application/json").Split(';')[0].Trim().ToLowerInvariant();
        return type switch
        {
            "application/json" or "" => FromJson(Text(body), columns),
            "text/csv" => FromJson(CsvText.ToJson(Text(body)), columns),
            "application/x-www-form-urlencoded" => FromJson(FormToJson(Text(body)), columns),
            _ => throw RestError.Body("Content-Type not acceptable: " + type),
        };
    }

    private static string Text(byte[] body)
    {
        try
        {
            return new UTF8Encoding(false, true).GetString(body).TrimStart('\uFEFF');
        }
        catch (ArgumentException)
        {
            throw RestError.Body("Empty or invalid json");
        }
    }

    private static RestPayload FromJson(string text, IReadOnlyList<string>? columns)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(text);
        }
        catch (JsonException)
        {
            throw RestError.Body("Empty or invalid json");
        }
        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object)
            {
                return new(text, columns ?? Keys(root), true);
            }
            if (root.ValueKind != JsonValueKind.Array || root.GetArrayLength() == 0)
            {
                // Whatever is no rows is none.
                return new("[]", columns ?? [], false);
            }
            if (root.GetArrayLength() > MaxRows)
            {
                throw RestError.TooMuch($"at most {MaxRows} rows in a body");
            }
            var first = root[0].ValueKind == JsonValueKind.Object ? Keys(root[0]) : null;
            if (
                columns is null
                && (first is null || !root.EnumerateArray().All(row => row.ValueKind == JsonValueKind.Object && Keys(row).SequenceEqual(first)))
            )
            {
                throw RestError.Body("All object keys must match");
            }
            return new(text, columns ?? first!, false);
        }
    }

    private static List<string> Keys(JsonElement row)
    {
        try
        {
            return [.. row.EnumerateObject().Select(property => property.Name).Distinct().Order(StringComparer.Ordinal)];
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair is no name.
            throw RestError.Body("Empty or invalid json");
        }
    }

    private static string FormToJson(string text) =>
        JsonSerializer.Serialize(
            Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(text).ToDictionary(pair => pair.Key, pair => pair.Value.LastOrDefault())
        );
}

/// <summary>Rows as comma-separated values.</summary>
internal static class CsvText
{
    /// <summary>Rows under a header as JSON; <c>NULL</c> is null.</summary>
    public static string ToJson(string text)
    {
        var lines = Split(text);
        if (lines.Count == 0)
        {
            throw RestError.Body("Empty or invalid csv");
        }
        var rows = new List<Dictionary<string, string?>>();
        foreach (var line in lines.Skip(1))
        {
            if (line.Count != lines[0].Count)
            {
                throw RestError.Body("All lines must have same number of fields");
            }
            var row = new Dictionary<string, string?>();
            for (var index = 0; index < line.Count; index++)
            {
                row[lines[0][index]] = line[index] == "NULL" ? null : line[index];
            }
            rows.Add(row);
        }
        return JsonSerializer.Serialize(rows);
    }

    private static List<List<string>> Split(string text)
    {
        var lines = new List<List<string>>();
        var line = new List<string>();
        var cell = new StringBuilder();
        var isQuoted = false;
        for (var at = 0; at < text.Length; at++)
        {
            var each = text[at];
            if (isQuoted && each == '"' && at + 1 < text.Length && text[at + 1] == '"')
            {
                cell.Append('"');
                at++;
            }
            else if (each == '"' && (isQuoted || cell.Length == 0))
            {
                isQuoted = !isQuoted;
            }
            else if (!isQuoted && (each == ',' || each == '\n'))
            {
                line.Add(cell.ToString().TrimEnd('\r'));
                cell.Clear();
                if (each == '\n')
                {
                    lines.Add(line);
                    line = [];
                }
            }
            else
            {
                cell.Append(each);
            }
        }
        if (cell.Length > 0 || line.Count > 0)
        {
            line.Add(cell.ToString().TrimEnd('\r'));
            lines.Add(line);
        }
        return lines;
    }
}
