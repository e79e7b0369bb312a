using System.Reflection;

namespace Reelbase.Server.Features.Admin.Console;

/// <summary>Where the console's pages are, beside this program.</summary>
public sealed record ConsolePages(IReadOnlyList<Assembly> OtherAssemblies);
