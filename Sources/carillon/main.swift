import Node

CommandLineTool.main()
