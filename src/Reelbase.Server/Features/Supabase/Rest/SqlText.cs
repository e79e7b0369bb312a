using System.Text;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>A statement under way: names come from the catalogue, values become arguments.</summary>
internal sealed class SqlText
{
    private readonly StringBuilder _text = new();
    private readonly List<string?> _arguments = [];

    public IReadOnlyList<string?> Arguments => _arguments;

    /// <summary>A value as an argument.</summary>
    public string Value(string? value)
    {
        _arguments.Add(value);
        return $"${_arguments.Count}";
    }

    public SqlText Add(string sql)
    {
        _text.Append(sql);
        return this;
    }

    public override string ToString() => _text.ToString();
}
