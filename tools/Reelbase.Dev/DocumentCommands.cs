using System.CommandLine;
using Reelbase.Dev.Testing;

namespace Reelbase.Dev;

/// <summary><c>./reelbase docs</c> and <c>clients</c>: what is generated.</summary>
internal static class DocumentCommands
{
    private const string TypeScript = "clients/typescript";

    /// <summary>The documents, and the clients after them.</summary>
    public static Command NewDocs()
    {
        Command command = new("docs") { Words.Yes() };
        command.SetAction(
            async (words, stop) =>
            {
                Words.RefuseOthers(words);
                return await WriteDocumentsAsync(stop) ? await WriteClientsAsync(stop) : 1;
            }
        );
        return command;
    }

    /// <summary>The clients from the document as it is.</summary>
    public static Command NewClients()
    {
        Command command = new("clients") { Words.Yes() };
        command.SetAction(
            (words, stop) =>
            {
                Words.RefuseOthers(words);
                return WriteClientsAsync(stop);
            }
        );
        return command;
    }

    private static async Task<bool> WriteDocumentsAsync(CancellationToken stop)
    {
        // The tests that compare documents write them when they are asked to.
        var write = TestProgram.Of("--filter-trait", "Documents=yes") with
        {
            Variables = new Dictionary<string, string> { ["REELBASE_APPROVE"] = "1" },
        };
        if (!await Builds.TryBuildAsync("reelbase.slnx", stop) || await write.RunAsync(stop) != 0)
        {
            return false;
        }
        Terminal.Say("Written: docs/schema.md, docs/errors.md, docs/configuration.md, docs/modules.md, docs/api/openapi.v1.json");
        return true;
    }

    /// <summary>The generated parts of clients/, by the generators that dotnet-tools.json and a lock file pin.</summary>
    private static async Task<int> WriteClientsAsync(CancellationToken stop)
    {
        if (await new Call("bash", "clients/dotnet/generate").RunAsStepAsync(stop) != 0)
        {
            throw Refusal.Fault("the .NET client could not be generated");
        }
        Terminal.Say("Written: clients/dotnet/Generated");
        if (!Tools.Has("npm"))
        {
            Terminal.Say("Left out: the TypeScript client, whose generator needs Node 20 or newer with npm (then: ./reelbase clients)");
            return 0;
        }
        var generate = new Call("npm", "run", "--silent", "generate") { Folder = SourceTree.PathOf(TypeScript) };
        if (await Tools.InstallNodePackages(TypeScript).RunAsStepAsync(stop) != 0 || await generate.RunAsStepAsync(stop) != 0)
        {
            throw Refusal.Fault("the TypeScript client could not be generated");
        }
        Terminal.Say("Written: clients/typescript/src/generated");
        return 0;
    }
}
