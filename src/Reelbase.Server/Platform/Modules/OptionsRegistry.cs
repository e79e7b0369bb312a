using Microsoft.Extensions.Options;

namespace Reelbase.Server.Platform.Modules;

/// <summary>The sections of the configuration, as modules name them; they are bound, checked at start and documented from here.</summary>
public sealed class OptionsRegistry
{
    private readonly List<OptionsSection> _sections = [];

    /// <summary>The sections of some modules, by name: what documents list is in an order that no module changes.</summary>
    public static IReadOnlyList<OptionsSection> Of(IEnumerable<IModule> modules)
    {
        var registry = new OptionsRegistry();
        foreach (var module in modules)
        {
            module.AddOptions(registry);
        }
        return [.. registry._sections.OrderBy(section => section.Name, StringComparer.Ordinal)];
    }

    /// <summary>Adds a section; several types may share one.</summary>
    public void Add<T>(string section)
        where T : class, new() => _sections.Add(new OptionsSection<T>(section));
}

/// <summary>One section of the configuration.</summary>
public abstract class OptionsSection(string name, Type type)
{
    /// <summary>How it is called.</summary>
    public string Name => name;

    /// <summary>What it is read into.</summary>
    public Type Type => type;

    /// <summary>Binds it for whoever asks for its options; the host checks it at start.</summary>
    public abstract void Register(IServiceCollection services, IConfiguration configuration);

    /// <summary>What is wrong with it, one sentence each that begins with the key.</summary>
    public abstract IReadOnlyList<string> Check(IConfiguration configuration);
}

/// <summary>One section and its type.</summary>
public sealed class OptionsSection<T>(string name) : OptionsSection(name, typeof(T))
    where T : class, new()
{
    private static readonly Dictionary<string, string> Kinds = new()
    {
        ["System.Int32"] = "a whole number",
        ["System.Int64"] = "a whole number",
        ["System.Double"] = "a number",
        ["System.Decimal"] = "a number",
        ["System.Boolean"] = "true or false",
        ["System.TimeSpan"] = "a time span",
        ["System.DateTimeOffset"] = "a date such as 2027-03-01",
    };

    /// <inheritdoc/>
    public override void Register(IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<T>().Bind(configuration.GetSection(Name)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<T>>(new SectionRules<T>(Name));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Check(IConfiguration configuration)
    {
        try
        {
            return SectionRules.Check(Name, configuration.GetSection(Name).Get<T>() ?? new T());
        }
        catch (InvalidOperationException error)
        {
            // The binder names the key and the value; a value may be a secret that stands in the wrong place.
            return [Unreadable(error.Message)];
        }
    }

    private string Unreadable(string message)
    {
        var key = message.Split('\'').FirstOrDefault(part => part.StartsWith(Name + ":", StringComparison.OrdinalIgnoreCase)) ?? Name;
        var kind = message.Split('\'').LastOrDefault(part => part.StartsWith("System.", StringComparison.Ordinal)) ?? "";
        return $"{key} is not readable as {Kinds.GetValueOrDefault(kind, "what it should be")}";
    }
}
